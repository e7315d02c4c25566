package backendtest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// documentEnv is what a test works with: a document of its own, and nodes.
type documentEnv struct {
	t       *testing.T
	join    func(sink document.Sink) document.Store
	channel string
	serial  atomic.Int64
}

// documentNode is one node, with what its sink got for one document.
type documentNode struct {
	document.Store
	e *documentEnv

	mu      sync.Mutex
	got     []document.Entry
	epochs  map[string]bool
	missed  int
	mayMiss bool          // else Missed is an error
	changed chan struct{} // closed and replaced with each delivery
}

// node joins a node that is not attached yet.
func (e *documentEnv) node() *documentNode {
	n := &documentNode{e: e, epochs: make(map[string]bool), changed: make(chan struct{})}
	n.Store = e.join(n)
	e.t.Cleanup(func() { n.Store.Close() })
	return n
}

func (e *documentEnv) attached() *documentNode {
	e.t.Helper()
	n := e.node()
	n.must(n.Attach(e.t.Context(), e.channel))
	return n
}

func (n *documentNode) must(err error) {
	n.e.t.Helper()
	if err != nil {
		n.e.t.Fatal(err)
	}
}

// Changed implements [document.Sink].
func (n *documentNode) Changed(channel, epoch string, entries ...document.Entry) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if channel != n.e.channel {
		return
	}
	n.epochs[epoch] = true
	n.got = append(n.got, entries...)
	close(n.changed)
	n.changed = make(chan struct{})
}

// Missed implements [document.Sink].
func (n *documentNode) Missed(channel string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if channel != n.e.channel {
		return
	}
	if !n.mayMiss {
		n.e.t.Error("entries were missed")
	}
	n.missed++
	close(n.changed)
	n.changed = make(chan struct{})
}

// awaitMissed waits until the node was told count times that it has missed something.
func (n *documentNode) awaitMissed(count int) {
	n.e.t.Helper()
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		n.mu.Lock()
		missed, changed := n.missed, n.changed
		n.mu.Unlock()
		if missed >= count {
			return
		}
		select {
		case <-changed:
		case <-over.C:
			n.e.t.Fatalf("told %d times of what was missed, want %d", missed, count)
		}
	}
}

func (n *documentNode) delivered() []document.Entry {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

// await waits for count entries.
func (n *documentNode) await(count int) []document.Entry {
	n.e.t.Helper()
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		n.mu.Lock()
		got, changed := slices.Clone(n.got), n.changed
		n.mu.Unlock()
		if len(got) >= count {
			return got
		}
		select {
		case <-changed:
		case <-over.C:
			n.e.t.Fatalf("%d of %d entries were delivered", len(got), count)
		}
	}
}

func (n *documentNode) load(known document.Known) document.Record {
	n.e.t.Helper()
	r, err := n.Load(n.e.t.Context(), n.e.channel, known)
	n.must(err)
	return r
}

// entry returns an entry that differs from all others.
func (e *documentEnv) entry(version uint64) document.Entry {
	i := e.serial.Add(1)
	return document.Entry{
		Version: version, Key: fmt.Sprintf("u3:ann key\n{ä}\x00 %d", i), Author: "ann", Time: time.Now().Truncate(time.Millisecond),
		Patch: fmt.Appendf(nil, `[{"op":"add","path":"/ä/%d","value":"\u2028"}]`, i), Touched: []string{fmt.Sprint("/ä/", i), ""},
		Hash: uint32(i) << 24,
	}
}

const documentKept = 1000

// commit appends an entry that must be appended.
func (n *documentNode) commit(epoch string, version uint64) document.Entry {
	n.e.t.Helper()
	entry := n.e.entry(version)
	done, err := n.Commit(n.e.t.Context(), n.e.channel, document.Commit{Epoch: epoch, Entry: entry, Keep: documentKept})
	n.must(err)
	if done != (document.Committed{Version: version}) {
		n.e.t.Fatalf("version %d was committed as %+v", version, done)
	}
	return entry
}

func (e *documentEnv) expect(got []document.Entry, want ...document.Entry) {
	e.t.Helper()
	if len(got) != len(want) {
		e.t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		if g.Version != w.Version || g.Key != w.Key || g.Author != w.Author || !g.Time.Equal(w.Time) ||
			string(g.Patch) != string(w.Patch) || g.Anchor != w.Anchor || g.Hash != w.Hash || !slices.Equal(g.Touched, w.Touched) {
			e.t.Errorf("entry %d is %+v, want %+v", i, g, w)
		}
	}
}

func (e *documentEnv) expectRecord(got, want document.Record) {
	e.t.Helper()
	if got.Epoch != want.Epoch || got.Version != want.Version || string(got.Snapshot) != string(want.Snapshot) {
		e.t.Errorf("a record of version %d of %s, want %d of %s", got.Version, got.Epoch, want.Version, want.Epoch)
	}
	e.expect(got.Entries, want.Entries...)
}
