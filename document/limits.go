package document

import (
	"cmp"
	"errors"
)

// Limits bound a document and each change of it. 0 means the default.
type Limits struct {
	// Size is the greatest length of the state in bytes, as compact JSON; 256 KiB by
	// default.
	Size int
	// Depth is how deeply arrays and objects may be nested; 32 by default. An object of
	// plain values has a depth of 1.
	Depth int
	// Nodes is the greatest number of values in the state; 10,000 by default. Arrays,
	// objects and their elements all count.
	Nodes int
	// Operations is the greatest number of operations in one patch, and of values
	// that one merge patch sets or deletes; 256 by default.
	Operations int
	// Pointer is the greatest length in bytes of a path; 256 by default.
	Pointer int
	// Move allows the operations move and copy. With them a short patch can make a document
	// grow, or change much of it.
	Move bool
	// Root allows a patch to replace the whole document.
	Root bool

	// trusted skips the checks for JavaScript: the value was accepted before.
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

// Budget bounds the memory that a change may add to a store. The zero Budget has no
// bounds.
type Budget struct {
	// Payer is the user against whose share the change counts. Empty means the app, which
	// has no share and may use all of Memory.
	Payer string
	// Share is how many bytes the documents of one payer may take; 0 means no bound.
	Share int64
	// Memory is how many bytes all documents may take together; 0 means no bound.
	Memory int64
}

// bound returns how many bytes all documents may take after a change of a document at a
// version. New documents leave space for changes of existing ones, and clients leave space
// for the app.
func (b Budget) bound(version uint64) int64 {
	switch {
	case b.Payer == "":
		return b.Memory
	case version == 0:
		return b.Memory - b.Memory/4
	}
	return b.Memory - b.Memory/8
}

// isFull reports whether a store has no space for a change.
func isFull(err error) bool { return errors.Is(err, ErrFull) || errors.Is(err, ErrShare) }
