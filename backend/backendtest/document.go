package backendtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// documentContract lists the tests of a document store. What they hold it to beyond
// the comments of the interface:
//
//   - A document has an epoch before anybody changes it, and all nodes see the same.
//   - Snapshots and patches come back byte by byte, whatever they are.
//   - A call whose context was over before it began changes nothing, and its error
//     wraps that of the context.
var documentContract = []struct {
	name string
	test func(*documentEnv)
}{
	{"DocumentNew", documentNew},
	{"DocumentCommit", documentCommit},
	{"DocumentCompareAndSet", documentCompareAndSet},
	{"DocumentKeys", documentKeys},
	{"DocumentLoadSince", documentLoadSince},
	{"DocumentSnapshot", documentSnapshot},
	{"DocumentKeep", documentKeep},
	{"DocumentDelivers", documentDelivers},
	{"DocumentAttachCounts", documentAttachCounts},
	{"DocumentRoomsApart", documentRoomsApart},
	{"DocumentConcurrently", documentConcurrently},
	{"DocumentCancelled", documentCancelled},
	{"DocumentClose", documentClose},
}

// RunDocument tests one implementation of [document.Store]. The function newCluster
// makes a store, empty or not, and returns a function that joins it with one more
// node, which delivers to sink. Both may be called by several goroutines at once and
// clean up after themselves with t.Cleanup; the nodes are closed before that.
func RunDocument(t *testing.T, newCluster func(t *testing.T) func(sink document.Sink) document.Store) {
	for _, c := range documentContract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(&documentEnv{t: t, join: newCluster(t), channel: "document:" + rand.Text()})
		})
	}
}

// documentEnv is what a test works with: a document of its own, and nodes.
type documentEnv struct {
	t       *testing.T
	join    func(sink document.Sink) document.Store
	channel string
	serial  atomic.Int64
}

// documentNode is one node, and what it is told of one document.
type documentNode struct {
	document.Store
	e *documentEnv

	mu      sync.Mutex
	got     []document.Entry
	epochs  map[string]bool
	changed chan struct{} // closed and replaced with each delivery
}

// node joins a node, not yet attached.
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
func (n *documentNode) Missed(string) { n.e.t.Error("entries were missed") }

func (n *documentNode) delivered() []document.Entry {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

// await waits for so many entries.
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

// entry makes one that no other is like.
func (e *documentEnv) entry(version uint64) document.Entry {
	i := e.serial.Add(1)
	return document.Entry{
		Version: version, Key: fmt.Sprintf("u3:ann key %d", i), Author: "ann", Time: time.Now().Truncate(time.Millisecond),
		Patch: fmt.Appendf(nil, `[{"op":"add","path":"/ä/%d","value":"\u2028"}]`, i), Touched: []string{fmt.Sprint("/ä/", i), ""},
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
			string(g.Patch) != string(w.Patch) || !slices.Equal(g.Touched, w.Touched) {
			e.t.Errorf("entry %d is %+v, want %+v", i, g, w)
		}
	}
}

func documentNew(e *documentEnv) {
	a, b := e.node(), e.node()
	r := a.load(document.Known{})
	if r.Epoch == "" || r.Version != 0 || len(r.Entries) != 0 || len(r.Snapshot) != 0 {
		e.t.Errorf("a new document is %+v", r)
	}
	for _, known := range []document.Known{{}, {Epoch: "other", Version: 7}, {Epoch: r.Epoch}} {
		if again := b.load(known); again.Epoch != r.Epoch || again.Version != 0 || len(again.Entries) != 0 {
			e.t.Errorf("%+v: another node sees %+v", known, again)
		}
	}
}

func documentCommit(e *documentEnv) {
	a, b := e.node(), e.node()
	epoch := a.load(document.Known{}).Epoch
	one, two := a.commit(epoch, 1), b.commit(epoch, 2)
	for _, n := range []*documentNode{a, b} {
		r := n.load(document.Known{})
		if r.Epoch != epoch || r.Version != 0 || r.Snapshot != nil {
			e.t.Errorf("%+v", r)
		}
		e.expect(r.Entries, one, two)
	}
}

// Whoever is late appends nothing.
func documentCompareAndSet(e *documentEnv) {
	a, b := e.attached(), e.node()
	epoch := a.load(document.Known{}).Epoch
	first := a.commit(epoch, 1)
	for _, c := range []document.Commit{
		{Epoch: epoch, Entry: e.entry(1)}, {Epoch: epoch, Entry: e.entry(3)}, {Epoch: epoch, Entry: e.entry(0)},
		{Epoch: "other", Entry: e.entry(2)}, {Entry: e.entry(2)},
	} {
		c.Keep, c.Snapshot = documentKept, []byte(`"no"`)
		done, err := b.Commit(e.t.Context(), e.channel, c)
		if err != nil || done != (document.Committed{}) {
			e.t.Errorf("version %d of %q: %+v, %v", c.Entry.Version, c.Epoch, done, err)
		}
		if v, err := b.Find(e.t.Context(), e.channel, c.Entry.Key); err != nil || v != 0 {
			e.t.Errorf("the key of a change that was not made: %d, %v", v, err)
		}
	}
	r := b.load(document.Known{})
	e.expect(r.Entries, first)
	second := b.commit(epoch, 2)
	e.expect(a.await(2), first, second)
}

func documentKeys(e *documentEnv) {
	a, b := e.attached(), e.node()
	epoch := a.load(document.Known{}).Epoch
	one, two := a.commit(epoch, 1), a.commit(epoch, 2)
	for _, version := range []uint64{1, 2, 3} {
		again := e.entry(version)
		again.Key = one.Key
		done, err := b.Commit(e.t.Context(), e.channel, document.Commit{Epoch: epoch, Entry: again, Keep: documentKept})
		if err != nil || done != (document.Committed{Version: 1, Duplicate: true}) {
			e.t.Errorf("a repeat as version %d: %+v, %v", version, done, err)
		}
	}
	for key, want := range map[string]uint64{one.Key: 1, two.Key: 2, "other": 0, "": 0} {
		if v, err := b.Find(e.t.Context(), e.channel, key); err != nil || v != want {
			e.t.Errorf("key %q: %d, %v; want %d", key, v, err, want)
		}
	}
	three := a.commit(epoch, 3)
	e.expect(a.await(3), one, two, three)
}

func documentLoadSince(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	var all []document.Entry
	for v := range uint64(5) {
		all = append(all, n.commit(epoch, v+1))
	}
	for since := range uint64(6) {
		r := n.load(document.Known{Epoch: epoch, Version: since})
		if r.Version != since || r.Epoch != epoch || r.Snapshot != nil {
			e.t.Errorf("since %d: %+v", since, r)
		}
		e.expect(r.Entries, all[since:]...)
	}
	for _, known := range []document.Known{{Epoch: "other", Version: 3}, {Epoch: epoch, Version: 6}, {Version: 3}} {
		r := n.load(known)
		if r.Version != 0 {
			e.t.Errorf("%+v: %+v", known, r)
		}
		e.expect(r.Entries, all...)
	}
}

func documentSnapshot(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	n.commit(epoch, 1)
	state := []byte("{\"a\":[1,\"\u00e4\u2028\\u0000\"]}")
	done, err := n.Commit(e.t.Context(), e.channel, document.Commit{Epoch: epoch, Entry: e.entry(2), Snapshot: state, Keep: documentKept})
	if err != nil || done.Version != 2 {
		e.t.Fatalf("%+v, %v", done, err)
	}
	three := n.commit(epoch, 3)
	r := e.node().load(document.Known{})
	if string(r.Snapshot) != string(state) || r.Version != 2 || len(r.Entries) != 3 {
		e.t.Fatalf("%q at %d, %d entries", r.Snapshot, r.Version, len(r.Entries))
	}
	e.expect(r.Entries[2:], three)
}

// What is to be kept is kept, and all that a snapshot does not hold. That the rest
// goes is for the tests of an implementation, which knows when.
func documentKeep(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	for v := uint64(1); v <= 60; v++ {
		c := document.Commit{Epoch: epoch, Entry: e.entry(v), Keep: 10}
		if v == 25 || v == 40 {
			c.Snapshot = fmt.Appendf(nil, `{"version":%d}`, v)
		}
		if _, err := n.Commit(e.t.Context(), e.channel, c); err != nil {
			e.t.Fatal(err)
		}
		r := n.load(document.Known{})
		first := v + 1
		if len(r.Entries) > 0 {
			first = r.Entries[0].Version
		}
		if first > r.Version+1 || v-first+1 < min(v, 10) {
			e.t.Fatalf("at version %d, with a snapshot of %d, the log begins with %d", v, r.Version, first)
		}
		for i, entry := range r.Entries {
			if entry.Version != first+uint64(i) {
				e.t.Fatalf("entry %d has the version %d", i, entry.Version)
			}
		}
		if since := n.load(document.Known{Epoch: epoch, Version: v - min(v, 10)}); since.Snapshot != nil || len(since.Entries) != int(min(v, 10)) {
			e.t.Fatalf("at version %d, %d of the latest entries", v, len(since.Entries))
		}
	}
}

// All attached nodes are told, the one that commits before it knows itself.
func documentDelivers(e *documentEnv) {
	a, b := e.attached(), e.attached()
	silent := e.node()
	epoch := a.load(document.Known{}).Epoch
	var all []document.Entry
	for v := range uint64(20) {
		n := []*documentNode{a, b}[v%2]
		all = append(all, n.commit(epoch, v+1))
		if got := n.delivered(); len(got) != len(all) {
			e.t.Fatalf("the node that committed version %d has heard of %d", v+1, len(got))
		}
	}
	e.expect(a.await(20), all...)
	e.expect(b.await(20), all...)
	if len(a.epochs) != 1 || !a.epochs[epoch] {
		e.t.Errorf("epochs %v", a.epochs)
	}
	if got := silent.delivered(); len(got) != 0 {
		e.t.Errorf("a node that is not attached was told of %d", len(got))
	}
}

func documentAttachCounts(e *documentEnv) {
	n := e.attached()
	n.must(n.Attach(e.t.Context(), e.channel))
	epoch := n.load(document.Known{}).Epoch
	n.commit(epoch, 1)
	n.Detach(e.channel)
	n.commit(epoch, 2)
	n.Detach(e.channel)
	n.commit(epoch, 3)
	n.must(n.Attach(e.t.Context(), e.channel))
	n.commit(epoch, 4)
	var versions []string
	for _, entry := range n.await(3) {
		versions = append(versions, fmt.Sprint(entry.Version))
	}
	if got := strings.Join(versions, " "); got != "1 2 4" {
		e.t.Errorf("delivered %s", got)
	}
}

func documentRoomsApart(e *documentEnv) {
	n := e.attached()
	epoch := n.load(document.Known{}).Epoch
	entry := n.commit(epoch, 1)
	other := e.channel + ":other"
	r, err := n.Load(e.t.Context(), other, document.Known{})
	if err != nil || r.Version != 0 || len(r.Entries) != 0 {
		e.t.Errorf("%+v, %v", r, err)
	}
	if v, err := n.Find(e.t.Context(), other, entry.Key); err != nil || v != 0 {
		e.t.Errorf("a key of another document: %d, %v", v, err)
	}
	done, err := n.Commit(e.t.Context(), other, document.Commit{Epoch: r.Epoch, Entry: entry, Keep: documentKept})
	if err != nil || done != (document.Committed{Version: 1}) {
		e.t.Errorf("%+v, %v", done, err)
	}
	e.expect(n.await(1), entry)
}

// Each version is committed once, and delivered once and in order, everywhere.
func documentConcurrently(e *documentEnv) {
	const nodes, each = 4, 25
	watcher := e.attached()
	epoch := watcher.load(document.Known{}).Epoch
	var wg sync.WaitGroup
	for range nodes {
		n := e.attached()
		wg.Go(func() {
			for made, version := 0, uint64(1); made < each; version++ {
				done, err := n.Commit(e.t.Context(), e.channel, document.Commit{Epoch: epoch, Entry: e.entry(version), Keep: documentKept})
				if err != nil {
					e.t.Error(err)
					return
				}
				if done.Version != 0 {
					made++
					continue
				}
				r, err := n.Load(e.t.Context(), e.channel, document.Known{Epoch: epoch, Version: version - 1})
				if err != nil {
					e.t.Error(err)
					return
				}
				version += uint64(len(r.Entries)) - 1
			}
		})
	}
	wg.Wait()
	got := watcher.await(nodes * each)
	if len(got) != nodes*each {
		e.t.Fatalf("%d entries", len(got))
	}
	for i, entry := range got {
		if entry.Version != uint64(i+1) {
			e.t.Fatalf("entry %d has the version %d", i, entry.Version)
		}
	}
}

func documentCancelled(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	_, loaded := n.Load(ctx, e.channel, document.Known{})
	_, committed := n.Commit(ctx, e.channel, document.Commit{Epoch: epoch, Entry: e.entry(1), Keep: documentKept})
	_, found := n.Find(ctx, e.channel, "key")
	for what, err := range map[string]error{"attach": n.Attach(ctx, e.channel), "load": loaded, "commit": committed, "find": found} {
		if !errors.Is(err, context.Canceled) {
			e.t.Errorf("%s: %v", what, err)
		}
	}
	n.commit(epoch, 1)
	if got := n.delivered(); len(got) != 0 {
		e.t.Errorf("an attach that failed delivers %d entries", len(got))
	}
}

func documentClose(e *documentEnv) {
	a, b := e.attached(), e.attached()
	epoch := a.load(document.Known{}).Epoch
	entry := a.commit(epoch, 1)
	a.must(a.Close())
	if _, err := a.Load(e.t.Context(), e.channel, document.Known{}); !errors.Is(err, document.ErrClosed) {
		e.t.Errorf("load after the end: %v", err)
	}
	if _, err := a.Commit(e.t.Context(), e.channel, document.Commit{Epoch: epoch, Entry: e.entry(2)}); !errors.Is(err, document.ErrClosed) {
		e.t.Errorf("commit after the end: %v", err)
	}
	a.Detach(e.channel)
	second := b.commit(epoch, 2)
	e.expect(b.await(2), entry, second)
	if got := a.delivered(); len(got) != 1 {
		e.t.Errorf("a closed node was told of %d entries", len(got))
	}
}
