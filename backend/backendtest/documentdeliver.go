package backendtest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// All attached nodes are notified; the committing node before its Commit returns.
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
