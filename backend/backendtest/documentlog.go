package backendtest

import (
	"fmt"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/document"
)

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

// A version alone does not name a state: a store that went back in time may have another
// state there.
func documentAnchors(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	var all []document.Entry
	var anchor uint64
	commit := func(after uint64) document.Committed {
		entry := e.entry(uint64(len(all) + 1))
		entry.Anchor = entry.AnchorAfter(after)
		done, err := n.Commit(e.t.Context(), e.channel, document.Commit{Epoch: epoch, Entry: entry, After: after, Keep: documentKept})
		n.must(err)
		if done.Version > 0 {
			all, anchor = append(all, entry), entry.Anchor
		}
		return done
	}
	for v := range uint64(3) {
		if done := commit(anchor); done.Version != v+1 {
			e.t.Fatalf("version %d was committed as %+v", v+1, done)
		}
	}
	if done := commit(anchor + 1); done.Version != 0 || done.Now != nil && len(done.Now.Entries) != 3 {
		e.t.Errorf("after another entry than the latest: %+v", done)
	}
	epoch = n.load(document.Known{}).Epoch
	e.expect(n.load(document.Known{Epoch: epoch, Version: 2, Anchor: all[1].Anchor}).Entries, all[2])
	e.expect(n.load(document.Known{Epoch: epoch, Version: 3, Anchor: all[2].Anchor}).Entries)
	for version := range uint64(3) {
		known := document.Known{Epoch: epoch, Version: version + 1, Anchor: anchor + 1}
		r := n.load(known)
		if r.Version != 0 {
			e.t.Errorf("%+v: %+v", known, r)
		}
		e.expect(r.Entries, all...)
		epoch = r.Epoch
	}
	if done := commit(anchor); done.Version != 4 {
		e.t.Errorf("the next one: %+v", done)
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

// The log keeps what the commit says, and everything that the snapshot does not have. The
// tests of an implementation check when it drops the rest.
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
			e.t.Fatalf("at version %d, with a snapshot of %d, the log starts with %d", v, r.Version, first)
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

// A log that is larger than what a store would send at once is returned whole.
func documentLarge(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	var all []document.Entry
	for v := range uint64(30) {
		entry := e.entry(v + 1)
		entry.Patch = fmt.Appendf(nil, `{"%d":%q}`, v, strings.Repeat("x", 100<<10))
		all = append(all, entry)
		c := document.Commit{Epoch: epoch, Entry: entry, Keep: documentKept}
		if v == 20 {
			c.Snapshot = entry.Patch
		}
		if done, err := n.Commit(e.t.Context(), e.channel, c); err != nil || done.Version != v+1 {
			e.t.Fatalf("%+v, %v", done, err)
		}
	}
	e.expect(n.load(document.Known{Epoch: epoch, Version: 2}).Entries, all[2:]...)
	r := n.load(document.Known{})
	if r.Version != 21 || string(r.Snapshot) != string(all[20].Patch) {
		e.t.Errorf("a snapshot of %d bytes at version %d", len(r.Snapshot), r.Version)
	}
	e.expect(r.Entries, all...)
}
