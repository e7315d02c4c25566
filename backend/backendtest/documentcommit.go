package backendtest

import (
	"github.com/caddy-realtime/caddy-realtime/document"
)

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

// A commit to an old version appends nothing.
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
		if err != nil || done.Version != 0 || done.Duplicate {
			e.t.Errorf("version %d of %q: %+v, %v", c.Entry.Version, c.Epoch, done, err)
		}
		if done.Now != nil {
			e.expectRecord(*done.Now, b.load(document.Known{Epoch: c.Epoch, Version: c.Entry.Version - 1}))
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
