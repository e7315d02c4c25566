package document

import "strings"

// footprint is what a change has touched, to be held against other changes. Two
// changes overlap if a path of one is, or leads to, a path of the other. What moves
// the elements of an array touches the array itself, and so overlaps with everything
// in it.
type footprint struct {
	paths map[string]struct{}
	above map[string]struct{} // what leads to the paths, and the paths themselves
}

func newFootprint(paths []string) footprint {
	f := footprint{make(map[string]struct{}, len(paths)), make(map[string]struct{}, 2*len(paths))}
	for _, p := range paths {
		f.paths[p] = struct{}{}
		for at := range prefixes(p) {
			f.above[at] = struct{}{}
		}
	}
	return f
}

// overlaps gives the first of the paths that overlaps.
func (f footprint) overlaps(paths []string) (string, bool) {
	for _, p := range paths {
		if _, leads := f.above[p]; leads {
			return p, true
		}
		for at := range prefixes(p) {
			if _, there := f.paths[at]; there {
				return p, true
			}
		}
	}
	return "", false
}

// prefixes goes through all pointers that lead to p, p included.
func prefixes(p string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for at := p; yield(at) && at != ""; at = at[:strings.LastIndexByte(at, '/')] {
		}
	}
}
