package block

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// Table is what [Options] say of their options, whatever they configure.
type Table interface {
	entries() map[string]entry
}

// entry is one option of a Table.
type entry struct {
	syntax string
	inside Table // nil: the option has no block, or one without options
	fits   func(args int, opens bool) bool
}

func (o Options[T]) entries() map[string]entry {
	all := make(map[string]entry, len(o))
	for name, option := range o {
		all[name] = entry{option.Syntax, option.Inside, option.fits}
	}
	return all
}

// fits reports whether the option may be written with so many arguments, and with a block.
func (o Option[T]) fits(args int, opens bool) bool {
	return args >= o.Min && (o.Max < 0 || args <= o.Max) && (o.Block || !opens)
}

// Tree is a block that stands in no other one, with all blocks in it.
type Tree struct {
	// Name is how errors name the block.
	Name string
	// Head is how the block begins, up to its brace.
	Head string
	// Options are those of the block.
	Options Table
}

// unknown is the error for an option that its block does not have. [Tree.Place] adds the blocks
// that have it.
type unknown struct {
	name, owner string
	args        int
	opens       bool // it has a block
	path        []string
	at          caddyfile.Dispenser
	has         string // what the owner has
	suggestion  string // a question with a similar option of the owner; may be empty
	text        error
}

func (u *unknown) Error() string { return u.text.Error() }

// newUnknown makes the error for the option at which d stands.
func newUnknown(d *caddyfile.Dispenser, owner, suggestion, has string) error {
	arguments, segment := *d, *d
	u := &unknown{name: d.Val(), owner: owner, args: len(arguments.RemainingArgs()), opens: Opens(*segment.NewFromNextSegment()), at: *d, has: has, suggestion: suggestion}
	u.text = d.Errf("unknown option '%s' in '%s'%s, which has: %s", u.name, owner, suggestion, has)
	return located{u}
}

// within adds the block that the option stands in to the path of an unknown one.
func within(block string, err error) error {
	if u := (*unknown)(nil); errors.As(err, &u) {
		u.path = slices.Insert(u.path, 0, block)
	}
	return err
}

// place is a block that has the option.
type place struct {
	tree  Tree
	path  []string // of blocks, from the outermost on
	entry entry
}

// Place completes an error of ParseBlock, which has read a block of the tree. If it is about an
// option that belongs into another block, the error names that block. The nearest blocks come
// first, and those of the tree itself before the others.
func (t Tree) Place(err error, others ...Tree) error {
	u := (*unknown)(nil)
	if !errors.As(err, &u) {
		return err
	}
	for i, tree := range append([]Tree{t}, others...) {
		if found := u.nearest(tree.find(u.name, tree.Options, nil)); len(found) > 0 {
			return located{u.misplaced(found, i > 0)}
		}
	}
	return err
}

// find lists the blocks that have an option.
func (t Tree) find(name string, in Table, path []string) (found []place) {
	all := in.entries()
	if e, ok := all[name]; ok {
		found = append(found, place{t, slices.Clone(path), e})
	}
	for _, block := range slices.Sorted(maps.Keys(all)) {
		if inside := all[block].inside; inside != nil {
			found = append(found, t.find(name, inside, append(path, block))...)
		}
	}
	return found
}

// nearest returns the places with the fewest braces between them and the option. Those where it may be
// written like this go before the others.
func (u *unknown) nearest(all []place) (found []place) {
	fitting := slices.DeleteFunc(slices.Clone(all), func(p place) bool { return !p.entry.fits(u.args, u.opens) })
	if len(fitting) > 0 {
		all = fitting
	}
	least := -1
	for _, p := range all {
		switch far := len(u.path) + len(p.path) - 2*u.shared(p); {
		case least < 0 || far < least:
			least, found = far, []place{p}
		case far == least:
			found = append(found, p)
		}
	}
	return found
}

// shared returns how many blocks the option and the place stand in together.
func (u *unknown) shared(p place) (n int) {
	for n < min(len(u.path), len(p.path)) && u.path[n] == p.path[n] {
		n++
	}
	return n
}

// misplaced is the error that names the places. foreign says that they are in another tree.
func (u *unknown) misplaced(found []place, foreign bool) error {
	var names, examples []string
	for _, p := range found {
		from := u.shared(p)
		if foreign {
			from = -1
		}
		names, examples = append(names, p.name(foreign)), append(examples, p.example(u.name, from))
	}
	text := fmt.Sprintf("option '%s' does not belong into this '%s'%s, but into %s: %s",
		u.name, u.owner, u.suggestion, strings.Join(names, " or "), strings.Join(examples, " or "))
	if len(u.path) > 0 {
		text += fmt.Sprintf("; '%s' has: %s", u.owner, u.has)
	}
	return u.at.Errf("%s", text)
}

// name returns how errors name the place.
func (p place) name(foreign bool) string {
	switch n := len(p.path); {
	case n == 0:
		return p.tree.Name
	case foreign:
		return fmt.Sprintf("'%s' in %s", p.path[n-1], p.tree.Name)
	default:
		return fmt.Sprintf("'%s'", p.path[n-1])
	}
}

// example returns the option in its block. It starts with the block behind the first from blocks of
// the path, and with the tree itself if from is negative. The place itself is always in it.
func (p place) example(name string, from int) string {
	from = min(from, len(p.path)-1)
	text, ends := "", ""
	if from < 0 {
		text, ends = p.tree.Head+" { ", " }"
	}
	in := p.tree.Options
	for i, block := range p.path {
		e := in.entries()[block]
		if in = e.inside; i >= from {
			text, ends = text+head(block, e.syntax)+" { ", ends+" }"
		}
	}
	return text + strings.TrimSpace(name+" "+p.entry.syntax) + ends
}

// head returns how a block begins, from its name and the syntax behind it.
func head(name, syntax string) string {
	for _, braces := range []string{"[{ … }]", "{ … }"} {
		syntax = strings.TrimSuffix(syntax, braces)
	}
	return strings.TrimSpace(name + " " + syntax)
}
