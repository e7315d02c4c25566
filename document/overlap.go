package document

import "strings"

// footprint is what a change has touched, to compare it with other changes. Two changes
// overlap if a path of one is a path of the other, or leads to one. A change that moves the
// elements of an array touches the array, and so overlaps with every change in it. Two
// increments of one number do not overlap.
type footprint struct {
	all pathSet // with the numbers that were incremented
	set pathSet // without them
}

func newFootprint(touched []string) footprint {
	f := footprint{newPathSet(len(touched)), newPathSet(len(touched))}
	for _, p := range touched {
		number, ok := incremented(p)
		f.all.add(number)
		if !ok {
			f.set.add(p)
		}
	}
	return f
}

// overlaps returns the first of the paths that overlaps.
func (f footprint) overlaps(touched []string) (path string, ok bool) {
	for _, p := range touched {
		number, counts := incremented(p)
		if counts && f.set.meets(number) || !counts && f.all.meets(p) {
			return number, true
		}
	}
	return "", false
}

type pathSet struct {
	paths map[string]struct{}
	above map[string]struct{} // the paths and all that lead to them
}

func newPathSet(n int) pathSet {
	return pathSet{make(map[string]struct{}, n), make(map[string]struct{}, n)}
}

func (s pathSet) add(path string) {
	s.paths[path] = struct{}{}
	for at := range prefixes(path) {
		s.above[at] = struct{}{}
	}
}

// meets reports whether a path is, leads to, or lies below one of the set.
func (s pathSet) meets(path string) bool {
	if _, leads := s.above[path]; leads {
		return true
	}
	for at := range prefixes(path) {
		if _, there := s.paths[at]; there {
			return true
		}
	}
	return false
}

// prefixes iterates over all pointers that lead to p, and p.
func prefixes(p string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for at := p; yield(at) && at != ""; at = at[:strings.LastIndexByte(at, '/')] {
		}
	}
}
