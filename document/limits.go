package document

import "cmp"

// Limits bound a document and each change of it. For all of them 0 means the default.
type Limits struct {
	// Size is the greatest length of the state in bytes, as compact JSON; 256 KiB by
	// default.
	Size int
	// Depth is how deeply arrays and objects may be nested, 1 being an object of
	// plain values; 32 by default.
	Depth int
	// Nodes is the greatest number of values in the state, each array and object
	// counted with its elements; 10,000 by default.
	Nodes int
	// Operations is the greatest number of operations in one patch, and of values
	// that one merge patch sets or deletes; 256 by default.
	Operations int
	// Pointer is the greatest length in bytes of a path; 256 by default.
	Pointer int
	// Move allows the operations move and copy, with which a short patch can make a
	// document grow or change much of it.
	Move bool
	// Root allows a patch to replace the whole document.
	Root bool

	// trusted takes what was accepted before as it is.
	trusted bool
}

// The defaults of [Limits].
const (
	DefaultSize       = 256 << 10
	DefaultDepth      = 32
	DefaultNodes      = 10_000
	DefaultOperations = 256
	DefaultPointer    = 256
)

func (l Limits) withDefaults() Limits {
	l.Size = cmp.Or(l.Size, DefaultSize)
	l.Depth = cmp.Or(l.Depth, DefaultDepth)
	l.Nodes = cmp.Or(l.Nodes, DefaultNodes)
	l.Operations = cmp.Or(l.Operations, DefaultOperations)
	l.Pointer = cmp.Or(l.Pointer, DefaultPointer)
	return l
}
