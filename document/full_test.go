package document

import (
	"errors"
	"testing"
	"time"
)

// Before a change is rejected because the store is full, it is committed once more with a snapshot and
// without the log: once for each version, and always if it makes the document smaller.
func TestServiceOfAFullStore(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.change(Change{}, `{"a":"0123456789"}`)
	var orders []Commit
	l.shelf.before = func(c *Commit) error {
		orders = append(orders, *c)
		return ErrFull
	}
	propose := func(text string) error {
		t.Helper()
		orders = nil
		_, err := l.Change(t.Context(), "d", Change{Base: 1, Patch: patch(t, text, Limits{})}, Options{History: 9})
		return err
	}
	for _, test := range []struct {
		name, patch string
		commits     int
	}{
		{"larger", `{"b":1}`, 2},
		{"larger, again", `{"b":1}`, 1},
		{"of the same size", `{"a":"9876543210"}`, 1},
		{"smaller", `{"a":"0"}`, 2},
		{"smaller, again", `{"a":"0"}`, 2},
	} {
		if err := propose(test.patch); !errors.Is(err, ErrFull) || len(orders) != test.commits {
			t.Errorf("%s: %d commits, %v; want %d", test.name, len(orders), err, test.commits)
		}
		if n := len(orders); n == 2 && (orders[0].Snapshot != nil || orders[0].Keep != 9 || orders[1].Snapshot == nil || orders[1].Keep != 1) {
			t.Errorf("%s: %+v", test.name, orders)
		}
	}
	l.shelf.before = func(c *Commit) error {
		if c.Snapshot == nil {
			return ErrShare
		}
		return nil
	}
	if out := l.change(Change{Base: 1}, `{"a":"0"}`); out.Err != nil || out.Version != 2 {
		t.Errorf("a change that fits without the log: %+v", out)
	}
	l.reads(2, `{"a":"0"}`)
}

// A document that somebody uses is kept, for however long, and ages from the end of the last use.
func TestCacheKeepsDocumentsInUse(t *testing.T) {
	t.Parallel()
	var c cache
	now := time.Unix(0, 0)
	enter := func(channel string) *doc { return c.enter(channel, func() *doc { return &doc{channel: channel} }) }
	d := enter("a")
	enter("a")
	c.leave(d, now)
	c.leave(enter("b"), now.Add(2*cacheIdle))
	if enter("a") != d {
		t.Error("a document in use was made anew")
	}
	c.leave(d, now.Add(2*cacheIdle))
	c.leave(d, now.Add(3*cacheIdle))
	c.leave(enter("b"), now.Add(4*cacheIdle-1))
	if c.docs["a"] == nil {
		t.Error("a document ages while it is in use")
	}
	c.leave(enter("b"), now.Add(4*cacheIdle))
	if c.docs["a"] != nil {
		t.Error("a document that nobody uses stays")
	}
}

// The cache is full when its documents weigh more than cacheBytes. Then the document that was used first goes.
func TestCacheBytes(t *testing.T) {
	t.Parallel()
	var c cache
	use := func(channel string, bytes int) {
		c.leave(c.enter(channel, func() *doc {
			d := &doc{channel: channel}
			d.state.bytes = bytes - d.weight()
			return d
		}), time.Unix(0, 0))
	}
	use("a", cacheBytes/2)
	use("b", cacheBytes/2)
	if len(c.docs) != 2 || c.bytes != cacheBytes {
		t.Errorf("%d documents of %d bytes fit into a cache of %d", len(c.docs), c.bytes, cacheBytes)
	}
	use("c", 2048)
	if c.docs["a"] != nil || c.docs["b"] == nil || c.bytes != cacheBytes/2+2048 {
		t.Errorf("%d documents of %d bytes", len(c.docs), c.bytes)
	}
}

// A document stays attached until each that has attached it is gone.
func TestCacheCountsAttached(t *testing.T) {
	t.Parallel()
	var c cache
	now := time.Unix(0, 0)
	use := func(channel string, at time.Time) {
		c.leave(c.enter(channel, func() *doc { return &doc{channel: channel} }), at)
	}
	known := func(channel string) bool { return c.docs[channel] != nil }
	c.attach("a")
	c.attach("a")
	c.attach("b")
	c.detach("a")
	c.detach("b")
	c.detach("b") // nobody is left
	use("b", now)
	use("a", now)
	use("c", now.Add(cacheIdle-1))
	if !known("a") || !known("b") {
		t.Error("a document is gone too early")
	}
	use("c", now.Add(cacheIdle))
	if !known("a") || known("b") {
		t.Errorf("after a while: attached %t, another one %t", known("a"), known("b"))
	}
	c.detach("a")
	use("c", now.Add(cacheIdle))
	if known("a") {
		t.Error("a document that nobody has attached stays")
	}
	if n := c.attached["a"] + c.attached["b"]; n != 0 || len(c.attached) != 0 {
		t.Errorf("%d are attached: %v", n, c.attached)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	cause := errors.New("why")
	err := error(&Error{Reason: Rejected, Text: "no", Cause: cause})
	if err.Error() != "document: no" || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}
