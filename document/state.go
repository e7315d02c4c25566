package document

import (
	"encoding/binary"
	"hash/fnv"
	"io"
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
	// Anchor is a hash of this entry and of all before it. A log that went back in time
	// and was continued in another way has other ones. 0: it is not known.
	Anchor uint64
	// Hash is that of the state after the entry; 0: it does not come with this one.
	Hash uint32
}

// AnchorAfter gives the anchor of the entry if it follows one with the anchor before; 0
// if it is the first.
func (e *Entry) AnchorAfter(before uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, before))
	_, _ = h.Write(binary.AppendUvarint(nil, uint64(len(e.Key))))
	_, _ = io.WriteString(h, e.Key)
	_, _ = h.Write(e.Patch)
	return max(h.Sum64(), 1)
}

// Follows reports that the entry is the next one after a state. Where an anchor is not
// known, epoch and version have to do.
func (e *Entry) Follows(k Known) bool {
	if e.Version != k.Version+1 {
		return false
	}
	return e.Anchor == 0 || k.Anchor == 0 && k.Version > 0 || e.Anchor == e.AnchorAfter(k.Anchor)
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

	anchor uint64  // of the entry that led to Version; 0: not known
	log    []Entry // their versions follow each other and end with Version
	bytes  int     // of the entries in log
}

func (s State) known() Known { return Known{s.Epoch, s.Version, s.anchor} }

// Replay makes a change that was accepted before. An error means that the state is
// not the one that the change was accepted for.
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

// unbounded are limits for what was held against limits before.
func unbounded() Limits {
	const much = 1 << 30
	return Limits{Size: much, Depth: 1 << 10, Nodes: much, Operations: 1 << 20, Pointer: much, Move: true, Root: true, trusted: true}
}

// maxLogBytes bounds the entries that are kept of a document of up to that size; of a
// larger one as much as its own size is kept. Otherwise a few hundred large changes of a
// small document would take the memory of thousands of documents.
const maxLogBytes = 256 << 10

func keepBytes(t Tree) int { return max(maxLogBytes, t.Size()) }

// next is the state after an entry, with at most keep entries in the log.
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
	// A new array now and then is what lets go of the entries at the front.
	if len(log) == cap(log) {
		log = slices.Grow(slices.Clone(log), len(log)/2+4)
	}
	next.log = append(log, e)
	return next
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
