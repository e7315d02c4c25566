package conformance

import (
	"fmt"
	"io"
)

// Print writes a result as one line, and why if it is not passed.
func Print(w io.Writer, r Result) {
	word, why := "ok", ""
	switch {
	case r.Failed != "":
		word, why = "FAILED", r.Failed
	case r.Skipped != "":
		word, why = "skipped", r.Skipped
	}
	fmt.Fprintf(w, "%-8s %-24s %s\n", word, r.Section, r.Name)
	if why != "" {
		fmt.Fprintf(w, "         %-24s   %s\n", "", why)
	}
}

// Summary writes how many checks of each section passed, failed and were skipped, and returns
// whether none failed.
func Summary(w io.Writer, results []Result) bool {
	type count struct{ passed, failed, skipped int }
	sections, all := []string{}, map[string]*count{}
	total := count{}
	for _, r := range results {
		c := all[r.Section]
		if c == nil {
			c = new(count)
			all[r.Section] = c
			sections = append(sections, r.Section)
		}
		for _, c := range []*count{c, &total} {
			switch {
			case r.Failed != "":
				c.failed++
			case r.Skipped != "":
				c.skipped++
			default:
				c.passed++
			}
		}
	}
	line := func(name string, c count) {
		fmt.Fprintf(w, "%-24s %7d %7d %7d\n", name, c.passed, c.failed, c.skipped)
	}
	fmt.Fprintf(w, "\n%-24s %7s %7s %7s\n", "section", "passed", "failed", "skipped")
	for _, s := range sections {
		line(s, *all[s])
	}
	line("all", total)
	return total.failed == 0
}
