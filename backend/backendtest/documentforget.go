package backendtest

import (
	"slices"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// A document that was removed starts again in another epoch, and its followers are
// notified.
func documentForget(e *documentEnv) {
	a, b := e.attached(), e.attached()
	a.mayMiss, b.mayMiss = true, true
	epoch := a.load(document.Known{}).Epoch
	one := a.commit(epoch, 1)
	a.commit(epoch, 2)
	if done, err := a.Forget(e.t.Context(), e.channel, document.Known{}); err != nil || !done {
		e.t.Fatalf("%t, %v", done, err)
	}
	a.awaitMissed(1)
	b.awaitMissed(1)
	r := b.load(document.Known{Epoch: epoch, Version: 2})
	if r.Epoch == epoch || r.Version != 0 || len(r.Entries) != 0 || r.Snapshot != nil {
		e.t.Fatalf("after it was forgotten: %+v", r)
	}
	if v, err := a.Find(e.t.Context(), e.channel, one.Key); err != nil || v != 0 {
		e.t.Errorf("the key of a change of before: %d, %v", v, err)
	}
	for _, version := range []uint64{1, 3} {
		c := document.Commit{Epoch: epoch, Entry: e.entry(version), Keep: documentKept}
		if done, err := a.Commit(e.t.Context(), e.channel, c); err != nil || done.Version != 0 {
			e.t.Errorf("a change of the old epoch: %+v, %v", done, err)
		}
	}
	again := b.commit(r.Epoch, 1)
	e.expect(a.load(document.Known{}).Entries, again)
	got := a.await(3)
	e.expect(got[len(got)-1:], again)
}

// A document without followers leaves nothing behind either: it starts again in another
// epoch.
func documentForgetOnly(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	n.commit(epoch, 1)
	for _, only := range []document.Known{{Epoch: epoch, Version: 2}, {Epoch: "other", Version: 1}, {Epoch: epoch}} {
		if done, err := n.Forget(e.t.Context(), e.channel, only); err != nil || done {
			e.t.Errorf("%+v: %t, %v", only, done, err)
		}
	}
	if got := n.load(document.Known{}); len(got.Entries) != 1 {
		e.t.Errorf("the document is %+v", got)
	}
	if done, err := n.Forget(e.t.Context(), e.channel, document.Known{Epoch: epoch, Version: 1}); err != nil || !done {
		e.t.Errorf("%t, %v", done, err)
	}
	if r := e.node().load(document.Known{}); r.Epoch == epoch || len(r.Entries) != 0 {
		e.t.Errorf("it came back as %+v", r)
	}
	if done, err := n.Forget(e.t.Context(), e.channel, document.Known{}); err != nil || !done {
		e.t.Errorf("once more: %t, %v", done, err)
	}
}

// A document without followers is removed after its TTL.
func documentTTL(e *documentEnv) {
	n := e.node()
	epoch := n.load(document.Known{}).Epoch
	const ttl = 500 * time.Millisecond
	c := document.Commit{Epoch: epoch, Entry: e.entry(1), Keep: documentKept, TTL: ttl}
	committed := time.Now()
	if done, err := n.Commit(e.t.Context(), e.channel, c); err != nil || done.Version != 1 {
		e.t.Fatalf("%+v, %v", done, err)
	}
	for r := n.load(document.Known{}); len(r.Entries) == 1; r = n.load(document.Known{}) {
		if time.Since(committed) > ttl+patience {
			e.t.Fatal("the document is still there")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if early := ttl - time.Since(committed); early > 0 {
		e.t.Errorf("forgotten %v too early", early)
	}
	if r := n.load(document.Known{}); r.Epoch == epoch {
		e.t.Error("the epoch is still the same")
	}
	if page, _, err := n.List(e.t.Context(), e.channel, "", 10); err != nil || len(page) != 0 {
		e.t.Errorf("listed: %+v, %v", page, err)
	}
}

func documentList(e *documentEnv) {
	n := e.node()
	names := []string{":a", ":b", ":b:c", ":\u00e4", ":z"}
	for i, name := range names {
		channel := e.channel + name
		for v := range uint64(i + 1) {
			r, err := n.Load(e.t.Context(), channel, document.Known{})
			n.must(err)
			c := document.Commit{Epoch: r.Epoch, Entry: e.entry(v + 1), Keep: documentKept}
			done, err := n.Commit(e.t.Context(), channel, c)
			n.must(err)
			if done.Version != v+1 {
				e.t.Fatalf("%+v", done)
			}
		}
	}
	_, err := n.Load(e.t.Context(), e.channel+":unchanged", document.Known{})
	n.must(err)
	list := func(prefix, after string, limit int) (got []string, more bool) {
		if after != "" {
			after = e.channel + after
		}
		page, more, err := e.node().List(e.t.Context(), e.channel+prefix, after, limit)
		n.must(err)
		for _, d := range page {
			name := strings.TrimPrefix(d.Channel, e.channel)
			if i := slices.Index(names, name); d.Version != uint64(i+1) || d.Bytes < 100 {
				e.t.Errorf("listed: %+v", d)
			}
			got = append(got, name)
		}
		return got, more
	}
	for _, tt := range []struct {
		prefix, after string
		limit         int
		want          string
		more          bool
	}{
		{"", "", 10, ":a :b :b:c :z :\u00e4", false},
		{"", "", 2, ":a :b", true},
		{"", ":b", 3, ":b:c :z :\u00e4", false},
		{":b", "", 10, ":b :b:c", false},
		{":b", ":b", 10, ":b:c", false},
		{":b", "", 1, ":b", true},
		{":c", "", 10, "", false},
		{":a", ":c", 10, "", false},
		{"", "", 0, "", true},
	} {
		if got, more := list(tt.prefix, tt.after, tt.limit); strings.Join(got, " ") != tt.want || more != tt.more {
			e.t.Errorf("%+v: %v, %t", tt, got, more)
		}
	}
}
