package policy

import "fmt"

// Patterns are patterns outside of room blocks, such as those that choose for which channels the
// app is notified. They have no placeholders.
type Patterns []pattern

// ParsePatterns parses patterns without placeholders.
func ParsePatterns(texts []string) (Patterns, error) {
	all := make(Patterns, 0, len(texts))
	for _, text := range texts {
		p, err := parsePattern(text)
		switch {
		case err != nil:
			return nil, err
		case p.personal:
			return nil, fmt.Errorf("pattern '%s': a placeholder is not possible here; write * for the segment", text)
		}
		all = append(all, p)
	}
	return all, nil
}

// Match reports whether one of the patterns matches a channel.
func (ps Patterns) Match(channel string) bool {
	for i := range ps {
		if ps[i].match(channel) {
			return true
		}
	}
	return false
}

// Meets reports for each pattern whether any channel matches it and also one of the patterns of
// rooms.
func (ps Patterns) Meets(rooms []string) ([]bool, error) {
	meets := make([]bool, len(ps))
	for _, room := range rooms {
		r, err := parsePattern(room)
		if err != nil {
			return nil, err
		}
		for i := range ps {
			meets[i] = meets[i] || ps[i].meets(&r)
		}
	}
	return meets, nil
}

// CoveredBy reports whether a pattern of others matches all channels of one of these patterns,
// and returns the places of both.
func (ps Patterns) CoveredBy(others Patterns) (i, by int, ok bool) {
	for i := range ps {
		for by := range others {
			if others[by].covers(&ps[i]) {
				return i, by, true
			}
		}
	}
	return 0, 0, false
}

// meets reports whether a channel can match both patterns.
func (p *pattern) meets(q *pattern) bool {
	for i, s := range p.segments {
		if i >= len(q.segments) {
			return false
		}
		t := q.segments[i]
		switch {
		case s.kind == rest || t.kind == rest:
			return true
		case s.kind == starts && t.kind == starts:
			return s.starts(t, false) || t.starts(s, false)
		case s.kind == starts:
			return t.kind != literal || s.starts(t, i < len(q.segments)-1)
		case t.kind == starts:
			return s.kind != literal || t.starts(s, i < len(p.segments)-1)
		case s.kind == literal && t.kind == literal && s.text != t.text:
			return false
		}
	}
	return len(p.segments) == len(q.segments)
}
