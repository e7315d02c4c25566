package lockorder

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// order is what the package comments say.
type order struct {
	next map[string][]string // the locks that may be waited for under one
	from map[pairOf]string   // the package that says so
}

type pairOf struct{ outer, inner string }

// line is an order in a package comment.
var line = regexp.MustCompile(`(?m)^\t(\w[\w.]* > \w[\w.]*(?: > \w[\w.]*)*)(?:: .*)?$`)

func read(docs []doc) *order {
	o := &order{next: make(map[string][]string), from: make(map[pairOf]string)}
	for _, d := range docs {
		for _, m := range line.FindAllStringSubmatch(d.text, -1) {
			names := strings.Split(m[1], " > ")
			for i := range names {
				if strings.Count(names[i], ".") == 1 {
					names[i] = d.pkg + "." + names[i]
				}
			}
			for i := range names[1:] {
				outer, inner := names[i], names[i+1]
				o.next[outer] = append(o.next[outer], inner)
				o.from[pairOf{outer, inner}] = d.pkg
			}
		}
	}
	return o
}

// allows reports whether inner comes after outer.
func (o *order) allows(outer, inner string) bool {
	seen := make(map[string]bool)
	var after func(string) bool
	after = func(name string) bool {
		for _, n := range o.next[name] {
			if n == inner {
				return true
			}
			if !seen[n] {
				seen[n] = true
				if after(n) {
					return true
				}
			}
		}
		return false
	}
	return after(outer)
}

// compare returns what the source and the package comments do not agree about.
func (o *order) compare(pairs map[string]map[string]string) (broken []string) {
	for outer, inners := range pairs {
		for inner, at := range inners {
			if !o.allows(outer, inner) {
				broken = append(broken, fmt.Sprintf("%s > %s is not in a package comment: %s", outer, inner, at))
			}
		}
	}
	for p, pkg := range o.from {
		if pairs[p.outer][p.inner] == "" {
			broken = append(broken, fmt.Sprintf("the comment of package %s says %s > %s, but no function does so", pkg, p.outer, p.inner))
		}
	}
	for outer := range o.next {
		if o.allows(outer, outer) {
			broken = append(broken, fmt.Sprintf("the package comments put %s before itself", outer))
		}
	}
	slices.Sort(broken)
	return broken
}
