package document

import "errors"

// Budget bounds what a change may add to the memory of a store. The zero Budget bounds
// nothing.
type Budget struct {
	// Payer names whose share the change counts for. Empty means the application, which
	// has no share and may use all of Memory.
	Payer string
	// Share is how many bytes of documents one payer may have; 0 means no bound.
	Share int64
	// Memory is how many bytes all documents may take together; 0 means no bound.
	Memory int64
}

// bound is how many bytes all documents may take after a change of a document at a
// version. New documents leave room for the changes of those in use, and clients leave
// room for the application.
func (b Budget) bound(version uint64) int64 {
	switch {
	case b.Payer == "":
		return b.Memory
	case version == 0:
		return b.Memory - b.Memory/4
	}
	return b.Memory - b.Memory/8
}

// isFull reports that a store has no room for a change.
func isFull(err error) bool { return errors.Is(err, ErrFull) || errors.Is(err, ErrShare) }
