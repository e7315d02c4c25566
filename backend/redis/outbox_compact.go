package redis

// fewestCompacted is how many changes may wait even with a smaller buffer: a burst must lose nothing
// while Redis can be reached.
const fewestCompacted = 10_000

// compactAt is the length of changes from which on they are compacted. It is twice what the last
// compaction left, so that each change pays for a few others at most. Needs mu.
func (h *holds) compactAt() int { return max(h.most, 2*h.left) }

// compact bounds what waits while Redis is away: of each name it leaves one change, or none if the
// name is again what it was. What remains is at most what the node has, and what Redis believes
// that it has. Start and end are lost together, so that the app never waits for an end. Needs mu.
func (h *holds) compact() {
	from := h.fixed()
	by := make(map[string][]change)
	for _, c := range h.changes[from:] {
		by[c.name] = append(by[c.name], c)
	}
	kept := append([]change(nil), h.changes[:from]...) // the open report keeps the old array
	for _, c := range h.changes[from:] {
		all := by[c.name]
		delete(by, c.name) // the first change of a name stands for all
		if len(all) > 0 {
			if one, changed := h.net(all); changed {
				kept = append(kept, one)
				continue
			}
		}
		h.lose(c)
	}
	h.changes, h.left = kept, len(kept)
}

// fixed returns how many of the oldest changes must stay: those of the open report, which Redis
// recognizes, and those that report again what Redis has lost. Needs mu.
func (h *holds) fixed() int {
	from := 0
	if h.open != nil {
		from = len(h.open.changes)
	}
	for i := len(h.changes) - 1; i >= from; i-- {
		if h.changes[i].again {
			return i + 1
		}
	}
	return from
}

// net returns the one change that has the effect of all changes of a name. changed is false if they
// have none. Needs mu.
func (h *holds) net(all []change) (one change, changed bool) {
	first, last := all[0], all[len(all)-1]
	if first.has != last.has {
		if held, has := h.all[last.name]; has && first.reported {
			held.reported = true // Redis still has it from before
			h.all[last.name] = held
		}
		return change{}, false
	}
	last.reported = first.reported
	return last, true
}

// lose counts a change that nobody is told of. Needs mu.
func (h *holds) lose(c change) {
	if !c.quiet {
		h.lost++
	}
}
