package document

import (
	"slices"
	"time"
)

// Entry is a change that was made, as it is kept and told to others.
type Entry struct {
	// Version is that of the document after the change.
	Version uint64
	// Key identifies the change: whoever proposes it again with the same key gets the
	// first answer again. Never empty.
	Key string
	// Author is the name that the others are told; may be empty.
	Author string
	// Time is when the change was made.
	Time time.Time
	// Patch is compact JSON, an object or an array.
	Patch []byte
	// Touched are the paths that have changed, as [Apply] gives them.
	Touched []string
}

// entryBytes is what an entry takes beside its texts.
const entryBytes = 128

// Bytes estimates the memory that an entry takes.
func (e *Entry) Bytes() int {
	n := entryBytes + len(e.Key) + len(e.Author) + len(e.Patch)
	for _, path := range e.Touched {
		n += 16 + len(path)
	}
	return n
}

// State is a document at one version, with the latest changes that led there.
type State struct {
	// Epoch names one incarnation of the document. Versions of another one mean
	// nothing.
	Epoch   string
	Version uint64
	Tree    Tree

	log []Entry // their versions follow each other and end with Version
}

// Replay makes a change that was accepted before. An error means that the state is
// not the one that the change was accepted for.
func (s State) Replay(e Entry, keep int) (State, error) {
	if e.Version != s.Version+1 {
		return s, failf(Invalid, "version %d does not follow %d", e.Version, s.Version)
	}
	free := unbounded()
	p, err := ParsePatch(e.Patch, free)
	if err != nil {
		return s, err
	}
	tree, _, err := Apply(s.Tree, p, free)
	if err != nil {
		return s, err
	}
	return s.next(tree, e, keep), nil
}

// unbounded are limits for what was held against limits before.
func unbounded() Limits {
	const much = 1 << 30
	return Limits{Size: much, Depth: 1 << 10, Nodes: much, Operations: 1 << 20, Pointer: much, Move: true, Root: true}
}

// next is the state after an entry, with at most keep entries in the log.
func (s State) next(tree Tree, e Entry, keep int) State {
	drop := max(0, len(s.log)+1-max(keep, 0))
	if drop > len(s.log) {
		return State{Epoch: s.Epoch, Version: e.Version, Tree: tree}
	}
	// A new array now and then is what lets go of the entries at the front.
	log := s.log[drop:]
	if len(log) == cap(log) {
		log = slices.Grow(slices.Clone(log), len(log)/2+4)
	}
	return State{Epoch: s.Epoch, Version: e.Version, Tree: tree, log: append(log, e)}
}

// since gives the entries after a version. False: the log does not reach back that
// far.
func (s State) since(version uint64) ([]Entry, bool) {
	behind := s.Version - version
	if behind > uint64(len(s.log)) {
		return nil, false
	}
	return s.log[len(s.log)-int(behind):], true
}
