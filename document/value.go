package document

import (
	"encoding/json"
	"maps"
	"slices"
)

// object is one kind of value. A value of a document is nil, a bool, a json.Number, a
// string, an *object or an *array. Values do not change after the edit that made them, so
// that the states of a document share what they have in common.
type object struct {
	owner   *token
	members map[string]any
}

type array struct {
	owner *token
	items []any
}

// token marks the containers that belong to one edit. Only that edit may change them.
type token struct{ _ byte } // not empty, because all empty structs may have the same address

// editable returns a container that the owner may change: the same one or a copy. It returns
// other values as they are.
func editable(v any, owner *token) any {
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

// nodeBytes and objectBytes are the memory of a value without its text: its place in its
// container, and the map of an object.
const (
	nodeBytes   = 64
	objectBytes = 384
)

// memory estimates the memory of a value.
func (c cost) memory() int { return c.bytes + nodeBytes*c.nodes + objectBytes*c.objects }

// costOf returns the cost of a value, and how deeply it is nested: 0 if it is no container.
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

// keyLen returns the length of a name with its colon.
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

// Empty is the state of a document without a change: an empty object.
var Empty = newTree(&object{})

// Size returns the length of the value as compact JSON.
func (t Tree) Size() int {
	if t.root == nil {
		return len("null")
	}
	return t.cost.bytes
}

// Equal reports whether two values are equal. Numbers are compared by value, not as they are
// written.
func (t Tree) Equal(o Tree) bool { return equal(t.root, o.root) }
