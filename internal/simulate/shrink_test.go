package simulate

// shrink leaves out actions as long as fails reports that the rest still fails. First it leaves out halves,
// then quarters, and in the end single actions.
func shrink(all []action, fails func([]action) bool) []action {
	for parts := 2; len(all) > 1; {
		size := (len(all) + parts - 1) / parts
		shorter := false
		for from := 0; from < len(all); {
			rest := without(all, from, min(from+size, len(all)))
			if fails(rest) {
				all, shorter = rest, true
			} else {
				from += size
			}
		}
		switch {
		case shorter:
		case size == 1:
			return all
		default:
			parts = min(2*parts, len(all))
		}
	}
	return all
}

// without returns the actions without some. The time of those that are left out stays.
func without(all []action, from, to int) []action {
	rest := append([]action(nil), all[:from]...)
	rest = append(rest, all[to:]...)
	if to < len(all) {
		for _, a := range all[from:to] {
			rest[from].After += a.After
		}
	}
	return rest
}
