package backendtest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// grow appends an entry of size bytes within a budget.
func (n *documentNode) grow(version uint64, size int, b document.Budget) error {
	n.e.t.Helper()
	entry := n.e.entry(version)
	entry.Patch = bytes.Repeat([]byte("x"), size)
	c := document.Commit{Epoch: n.load(document.Known{}).Epoch, Entry: entry, Keep: documentKept, Budget: b}
	done, err := n.Commit(n.e.t.Context(), n.e.channel, c)
	if err == nil && done.Version != version {
		n.e.t.Fatalf("version %d was committed as %+v", version, done)
	}
	return err
}

// shrink makes the document small and drops its log.
func (n *documentNode) shrink(version uint64, b document.Budget) {
	n.e.t.Helper()
	c := document.Commit{
		Epoch: n.load(document.Known{}).Epoch, Entry: n.e.entry(version), Snapshot: []byte(`{}`), Keep: 1, Budget: b,
	}
	if done, err := n.Commit(n.e.t.Context(), n.e.channel, c); err != nil || done.Version != version {
		n.e.t.Fatalf("a change that makes the document smaller: %+v, %v", done, err)
	}
}

// fill grows the document until that fails with full, and returns the next version.
func (n *documentNode) fill(version uint64, size int, b document.Budget, full error) uint64 {
	n.e.t.Helper()
	bound := max(b.Share, b.Memory)
	for taken := 0; int64(taken) <= bound; taken += size {
		switch err := n.grow(version, size, b); {
		case errors.Is(err, full):
			return version
		case err != nil:
			n.e.t.Fatal(err)
		}
		version++
	}
	n.e.t.Fatalf("%d changes of %d bytes went into %d bytes", version, size, bound)
	return 0
}

// A payer whose share is used up can not add more. Other payers can, also to the same
// document, and what the first one gives back can be used again.
func documentShare(e *documentEnv) {
	n := e.node()
	ann := document.Budget{Payer: "ann" + rand.Text(), Share: 256 << 10}
	ben := document.Budget{Payer: "ben" + rand.Text(), Share: 256 << 10}
	v := n.fill(1, 20_000, ann, document.ErrShare)
	if v < 8 {
		e.t.Errorf("%d changes of 20,000 bytes went into %d bytes", v-1, ann.Share)
	}
	for _, b := range []document.Budget{ben, {Payer: ann.Payer}, {}} {
		if err := n.grow(v, 20_000, b); err != nil {
			e.t.Fatalf("a change on account of %+v: %v", b, err)
		}
		v++
	}
	if err := n.grow(v, 20_000, ann); !errors.Is(err, document.ErrShare) {
		e.t.Errorf("a change beyond the share: %v", err)
	}
	n.shrink(v, ann)
	if v = n.fill(v+1, 20_000, ann, document.ErrShare); v < 8 {
		e.t.Errorf("little was given back: the next version is %d", v)
	}
	if _, err := n.Forget(e.t.Context(), e.channel, document.Known{}); err != nil {
		e.t.Fatal(err)
	}
	if v = n.fill(1, 20_000, ann, document.ErrShare); v < 8 {
		e.t.Errorf("little was given back by a document that was forgotten: the next version is %d", v)
	}
}

// Nobody can add more than the memory for all documents has left.
func documentMemory(e *documentEnv) {
	n := e.node()
	b := document.Budget{Memory: 16 << 20}
	v := n.fill(1, 1_000_000, b, document.ErrFull)
	if err := n.grow(v, 1_000_000, document.Budget{Payer: "ann", Memory: b.Memory}); !errors.Is(err, document.ErrFull) {
		e.t.Errorf("a change on account of somebody else: %v", err)
	}
	if v > 1 { // or others have filled it
		n.shrink(v, b)
		if err := n.grow(v+1, 1_000_000, b); err != nil {
			e.t.Errorf("after the document was made smaller: %v", err)
		}
	}
}

// The log keeps no more bytes than the commit says.
func documentTrims(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	for v := uint64(1); v <= 20; v++ {
		entry := e.entry(v)
		entry.Patch = fmt.Appendf(nil, "%10000d", v)
		c := document.Commit{Epoch: epoch, Entry: entry, Snapshot: []byte(`{}`), Keep: documentKept, KeepBytes: 55_000}
		if done, err := n.Commit(e.t.Context(), e.channel, c); err != nil || done.Version != v {
			e.t.Fatalf("%+v, %v", done, err)
		}
	}
	r := n.load(document.Known{})
	if len(r.Entries) != 5 || r.Entries[4].Version != 20 || r.Version != 20 {
		e.t.Errorf("%d entries, the snapshot at %d", len(r.Entries), r.Version)
	}
}
