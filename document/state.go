package document

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"time"
)

// Entry is an accepted change, as it is stored and announced.
type Entry struct {
	// Version is the version of the document after the change.
	Version uint64
	// Key identifies the change. A repeat with the same key gets the answer of the first.
	// It is never empty.
	Key string
	// Author is the name of the author, which other clients see; may be empty.
	Author string
	// Time is when the change was made.
	Time time.Time
	// Patch is compact JSON, an object or an array.
	Patch []byte
	// Touched are the paths that have changed, as [Apply] returns them.
	Touched []string
	// Anchor is a hash of this entry and of all before it. It differs in a log that was
	// rolled back and continued with other entries. 0 means that it is not known.
	Anchor uint64
	// Hash is the hash of the state after the entry; 0 if the entry has none.
	Hash uint32
}

// AnchorAfter returns the anchor of the entry if it follows an entry with the anchor before,
// which is 0 for the first entry.
func (e *Entry) AnchorAfter(before uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, before))
	_, _ = h.Write(binary.AppendUvarint(nil, uint64(len(e.Key))))
	_, _ = io.WriteString(h, e.Key)
	_, _ = h.Write(e.Patch)
	return max(h.Sum64(), 1)
}

// Follows reports whether the entry is the next one after a state. If an anchor is not
// known, only the versions are compared.
func (e *Entry) Follows(k Known) bool {
	if e.Version != k.Version+1 {
		return false
	}
	return e.Anchor == 0 || k.Anchor == 0 && k.Version > 0 || e.Anchor == e.AnchorAfter(k.Anchor)
}

// entryBytes is the memory of an entry without its texts.
const entryBytes = 128

// Bytes estimates the memory of an entry.
func (e *Entry) Bytes() int {
	n := entryBytes + len(e.Key) + len(e.Author) + len(e.Patch)
	for _, path := range e.Touched {
		n += 16 + len(path)
	}
	return n
}

// State is a document at one version, with the latest changes that led there.
type State struct {
	// Epoch identifies one life of the document. Versions of different epochs cannot be
	// compared.
	Epoch   string
	Version uint64
	Tree    Tree

	anchor uint64  // of the entry that led to Version; 0: not known
	log    []Entry // their versions follow each other and end with Version
	bytes  int     // of the entries in log
}

func (s State) known() Known { return Known{s.Epoch, s.Version, s.anchor} }

// Replay applies a change that was accepted before. An error means that it was accepted for
// another state.
func (s State) Replay(e Entry, keep int) (State, error) {
	if !e.Follows(s.known()) {
		return s, failf(Invalid, "this version %d does not follow %d", e.Version, s.Version)
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

// unbounded returns limits for values that were checked before.
func unbounded() Limits {
	const much = 1 << 30
	return Limits{Size: much, Depth: 1 << 10, Nodes: much, Operations: 1 << 20, Pointer: much, Move: true, Root: true, trusted: true}
}

// maxLogBytes bounds the entries that are kept of a document; of a larger document, its own
// size is the bound. Otherwise a few hundred large changes of a small document would take
// the memory of thousands of documents.
const maxLogBytes = 256 << 10

func keepBytes(t Tree) int { return max(maxLogBytes, t.Size()) }

// next returns the state after an entry, with at most keep entries in the log.
func (s State) next(tree Tree, e Entry, keep int) State {
	next := State{Epoch: s.Epoch, Version: e.Version, Tree: tree, anchor: e.Anchor}
	if keep <= 0 {
		return next
	}
	log, most := s.log, keepBytes(tree)
	next.bytes = s.bytes + e.Bytes()
	for len(log) > 0 && (len(log) >= keep || next.bytes > most) {
		next.bytes -= log[0].Bytes()
		log = log[1:]
	}
	// When the array is full, append makes a new one without the dropped entries at the front.
	next.log = append(log, e)
	return next
}

// since returns the entries after a version. It returns false if the log does not have all
// of them.
func (s State) since(version uint64) ([]Entry, bool) {
	behind := s.Version - version
	if behind > uint64(len(s.log)) {
		return nil, false
	}
	return s.log[len(s.log)-int(behind):], true
}
