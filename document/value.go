package document

import (
	"encoding/json"
	"maps"
	"slices"
)

// A value of a document is nil, a bool, a json.Number, a string, an *object or an
// *array. Values never change once an edit is over, so that the states of a
// document share what they have in common.
type object struct {
	owner   *token
	members map[string]any
}

type array struct {
	owner *token
	items []any
}

// token marks the containers that belong to one edit, which may change them in
// place.
type token struct{ _ byte } // not empty: all empty structs may have one address

// own gives a container that the owner may change: the same or a copy. Other values
// are given back as they are.
func own(v any, owner *token) any {
	switch v := v.(type) {
	case *object:
		if v.owner != owner {
			return &object{owner, maps.Clone(v.members)}
		}
	case *array:
		if v.owner != owner {
			return &array{owner, slices.Clone(v.items)}
		}
	}
	return v
}

// cost is what a value counts against the [Limits].
type cost struct{ bytes, nodes, objects int }

func (c cost) plus(o cost) cost {
	return cost{c.bytes + o.bytes, c.nodes + o.nodes, c.objects + o.objects}
}

func (c cost) minus(o cost) cost {
	return cost{c.bytes - o.bytes, c.nodes - o.nodes, c.objects - o.objects}
}

// What a value takes in memory beside its text: its place in what holds it, and what
// an object needs for its members.
const (
	nodeBytes   = 64
	objectBytes = 384
)

// memory estimates what a value takes in memory.
func (c cost) memory() int { return c.bytes + nodeBytes*c.nodes + objectBytes*c.objects }

// costOf measures a value; depth is that of its nesting, 0 for one that is no
// container.
func costOf(v any) (c cost, depth int) {
	switch v := v.(type) {
	case *object:
		return v.cost()
	case *array:
		return v.cost()
	case string:
		return cost{bytes: quotedLen(v), nodes: 1}, 0
	case json.Number:
		return cost{bytes: len(v), nodes: 1}, 0
	case bool:
		if !v {
			return cost{bytes: len("false"), nodes: 1}, 0
		}
	}
	return cost{bytes: len("null"), nodes: 1}, 0
}

func (o *object) cost() (c cost, depth int) {
	c = cost{bytes: 2 + max(0, len(o.members)-1), nodes: 1, objects: 1}
	for name, v := range o.members {
		inner, d := costOf(v)
		c, depth = c.plus(inner), max(depth, d)
		c.bytes += keyLen(name)
	}
	return c, depth + 1
}

func (a *array) cost() (c cost, depth int) {
	c = cost{bytes: 2 + max(0, len(a.items)-1), nodes: 1}
	for _, v := range a.items {
		inner, d := costOf(v)
		c, depth = c.plus(inner), max(depth, d)
	}
	return c, depth + 1
}

// keyLen is the length of a name with its colon.
func keyLen(name string) int { return quotedLen(name) + 1 }

// Tree is a JSON value that never changes. The zero Tree is null.
type Tree struct {
	root any
	cost cost
}

func newTree(root any) Tree {
	c, _ := costOf(root)
	return Tree{root, c}
}

// Empty is the state of a document that nobody has changed yet: an empty object.
var Empty = newTree(&object{})

// Size is the length of the value as compact JSON.
func (t Tree) Size() int {
	if t.root == nil {
		return len("null")
	}
	return t.cost.bytes
}

// Equal compares values. Numbers are equal if they are the same number, however
// they are written.
func (t Tree) Equal(o Tree) bool { return equal(t.root, o.root) }
