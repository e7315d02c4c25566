package redis

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// usedMemory returns the memory that Redis reports as used.
func (s *server) usedMemory() int64 {
	s.t.Helper()
	text := fmt.Sprint(s.do("info", "memory"))
	n, err := strconv.ParseInt(regexp.MustCompile(`used_memory:(\d+)`).FindStringSubmatch(text)[1], 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// The bills of documents, small and large ones, agree with the memory that Redis uses. Nothing
// is left when the documents are forgotten.
func TestDocumentBooksAreTrue(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10, 100_000} {
		s := startServer(t)
		store := open(t, Options{Address: s.Addr, KeyWindow: time.Second}).Documents(ignoringSink{})
		t.Cleanup(func() { store.Close() })
		const share = 8 << 20
		before, n := s.usedMemory(), 0
		for ; ; n++ {
			channel := fmt.Sprint("doc:", n)
			r, err := store.Load(t.Context(), channel, document.Known{})
			if err != nil {
				t.Fatal(err)
			}
			e := document.Entry{Version: 1, Key: channel, Patch: []byte(strings.Repeat("x", size))}
			_, err = store.Commit(t.Context(), channel, document.Commit{
				Epoch: r.Epoch, Entry: e, Keep: 1, Budget: document.Budget{Payer: "ann", Share: share},
			})
			if errors.Is(err, document.ErrShare) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		used := s.usedMemory() - before
		t.Logf("%d documents of %d bytes: %d bytes of Redis for a share of %d", n, size, used, share)
		if used > share*5/4 || used < share/2 {
			t.Errorf("%d documents of %d bytes take %d bytes of Redis, counted as %d", n, size, used, share)
		}
		for i := range n + 1 {
			if done, err := store.Forget(t.Context(), fmt.Sprint("doc:", i), document.Known{}); err != nil || !done {
				t.Fatalf("%t, %v", done, err)
			}
		}
		for _, kind := range []string{"documents", "documents:bills", "documents:used", "documents:ends"} {
			if n := s.do("exists", "rt:"+kind); n != int64(0) {
				t.Errorf("%s is left: %v", kind, n)
			}
		}
	}
}

// ignoringSink is a sink for tests that look only at Redis.
type ignoringSink struct{}

func (ignoringSink) Changed(string, string, ...document.Entry) {}
func (ignoringSink) Missed(string)                             {}

// A document with a follower stays beyond its time to live. Without a follower it ends,
// together with its keys and its bill.
func TestDocumentInUseStays(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	store := open(t, Options{Address: s.Addr, Check: 100 * time.Millisecond, Linger: 100 * time.Millisecond, KeyWindow: time.Second}).Documents(ignoringSink{})
	t.Cleanup(func() { store.Close() })
	if err := store.Attach(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	r, err := store.Load(t.Context(), "d", document.Known{})
	if err != nil {
		t.Fatal(err)
	}
	const ttl = 2 * time.Second
	c := document.Commit{Epoch: r.Epoch, Entry: document.Entry{Version: 1, Key: "k", Patch: []byte("{}")}, Keep: 1, TTL: ttl}
	if done, err := store.Commit(t.Context(), "d", c); err != nil || done.Version != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	for begin := time.Now(); time.Since(begin) < 2*ttl; time.Sleep(100 * time.Millisecond) {
		if n := s.do("exists", "rt:dh:{d}", "rt:dl:{d}"); n != int64(2) {
			t.Fatalf("after %v %v keys are left", time.Since(begin), n)
		}
	}
	store.Detach("d")
	for begin := time.Now(); s.do("exists", "rt:dh:{d}", "rt:dl:{d}") != int64(0); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatal("the document is still there")
		}
	}
	if page, _, err := store.List(t.Context(), "", "", 10); err != nil || len(page) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	if n := s.do("exists", "rt:documents:used", "rt:documents:bills"); n != int64(0) {
		t.Errorf("%v of the books are left", n)
	}
}
