package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// shelfOf opens documents of a Redis.
func shelfOf(t *testing.T, s *server) document.Store {
	t.Helper()
	store := open(t, Options{Address: s.Addr, KeyWindow: time.Second}).Documents(ignoringSink{})
	t.Cleanup(func() { store.Close() })
	return store
}

// firstChange makes the first change of a document.
func firstChange(t *testing.T, store document.Store, channel, epoch string, b document.Budget, ttl time.Duration) error {
	t.Helper()
	done, err := store.Commit(t.Context(), channel, document.Commit{
		Epoch: epoch, Entry: document.Entry{Version: 1, Key: "k", Patch: []byte("{}"), Anchor: 7}, Keep: 1, Budget: b, TTL: ttl,
	})
	if err == nil && done.Version != 1 {
		return fmt.Errorf("not committed: %+v", done)
	}
	return err
}

func epochOf(t *testing.T, store document.Store, channel string) string {
	t.Helper()
	r, err := store.Load(t.Context(), channel, document.Known{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Entries) > 0 || r.Version != 0 {
		t.Fatalf("%s is not empty: %+v", channel, r)
	}
	return r.Epoch
}

// Anyone may read documents that were never changed. Nothing is left of them, nor of rejected
// changes.
func TestUnchangedDocumentsLeaveNothing(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store := shelfOf(t, s)
	for i := range 50 {
		channel := fmt.Sprint("doc:", i)
		if err := store.Attach(t.Context(), channel); err != nil {
			t.Fatal(err)
		}
		epoch := epochOf(t, store, channel)
		if again := epochOf(t, store, channel); epoch == "" || again != epoch {
			t.Errorf("%s has the epochs %s and %s", channel, epoch, again)
		}
		if err := firstChange(t, store, channel, epoch, document.Budget{Payer: "ann", Share: 1}, 0); !errors.Is(err, document.ErrShare) {
			t.Errorf("a change without room: %v", err)
		}
		if err := firstChange(t, store, channel, "another", document.Budget{}, 0); err == nil {
			t.Error("a change to another epoch")
		}
		if done, err := store.Forget(t.Context(), channel, document.Known{}); err != nil || !done {
			t.Errorf("%t, %v", done, err)
		}
		store.Detach(channel)
	}
	if left := fmt.Sprint(s.do("keys", "*")); left != "[rt:documents:epochs]" {
		t.Errorf("this is left: %s", left)
	}
	if n := s.do("hlen", "rt:documents:epochs"); n != int64(1) {
		t.Errorf("the epochs have %v fields", n)
	}
}

// A document starts in the epoch that it had before its first change. However it ends, the next
// document of its name has another epoch.
func TestEpochAfterADocumentThatEnded(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store := shelfOf(t, s)
	const ttl = 50 * time.Millisecond
	for what, test := range map[string]struct {
		ttl time.Duration
		end func(channel string)
	}{
		"removed": {0, func(channel string) {
			if done, err := store.Forget(t.Context(), channel, document.Known{}); err != nil || !done {
				t.Errorf("%t, %v", done, err)
			}
		}},
		"unused":          {ttl, func(string) { time.Sleep(2 * ttl) }},
		"unused, swept":   {ttl, func(string) { time.Sleep(2 * ttl); _, _, _ = store.List(t.Context(), "", "", 10) }},
		"without head":    {0, func(channel string) { s.do("del", "rt:dh:{"+channel+"}") }},
		"without its own": {0, func(channel string) { s.do("del", "rt:dh:{"+channel+"}", "rt:dl:{"+channel+"}") }},
		"without Redis":   {0, func(string) { s.do("flushall") }},
	} {
		seen := make(map[string]bool)
		for range 3 {
			epoch := epochOf(t, store, what)
			if seen[epoch] {
				t.Errorf("%s: two documents have the epoch %s", what, epoch)
			}
			seen[epoch] = true
			if err := firstChange(t, store, what, epoch, document.Budget{}, test.ttl); err != nil {
				t.Fatal(what, err)
			}
			if test.ttl == 0 {
				if r, err := store.Load(t.Context(), what, document.Known{}); err != nil || r.Epoch != epoch || len(r.Entries) != 1 {
					t.Errorf("%s: after the change %+v, %v", what, r, err)
				}
				if left := s.do("pttl", "rt:dh:{"+what+"}"); left != int64(-1) {
					t.Errorf("%s: the document is kept for %v ms", what, left)
				}
			}
			test.end(what)
		}
	}
	// The epochs of all documents are made of a bounded number of parts.
	for i := range 50 {
		channel := fmt.Sprint("doc:", i)
		if err := firstChange(t, store, channel, epochOf(t, store, channel), document.Budget{}, 0); err != nil {
			t.Fatal(err)
		}
		_, _ = store.Forget(t.Context(), channel, document.Known{})
	}
	for _, field := range texts(s.do("hkeys", "rt:documents:epochs")) {
		if len(field) != 3 && field != "" || strings.Trim(field, "0123456789abcdef") != "" {
			t.Errorf("the epochs have a field %q", field)
		}
	}
}

// A node that knows more of a document than Redis gives it a new epoch, even if Redis has
// nothing of it. Nothing is left in Redis then.
func TestDocumentThatIsGone(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store := shelfOf(t, s)
	epoch := epochOf(t, store, "d")
	r, err := store.Load(t.Context(), "d", document.Known{Epoch: epoch, Version: 3, Anchor: 7})
	if err != nil || r.Epoch == epoch || r.Version != 0 || len(r.Entries) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if again := epochOf(t, store, "d"); again != r.Epoch {
		t.Errorf("the epoch is %s, and then %s", r.Epoch, again)
	}
	if left := fmt.Sprint(s.do("keys", "*")); left != "[rt:documents:epochs]" {
		t.Errorf("this is left: %s", left)
	}
}
