package memory

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// A document that is forgotten and begun again many times has one deadline, and is dropped
// when it was unused for its TTL.
func TestOneDeadlineForEachDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewDocumentStore(silentSink{})
		defer s.Close()
		for range 100 {
			begin(t, s, "d", time.Hour)
			if done, err := s.Forget(t.Context(), "d", document.Known{}); err != nil || !done {
				t.Fatal(done, err)
			}
		}
		begin(t, s, "d", time.Hour)
		if n := len(s.table.deadlines.queue); n != 1 {
			t.Errorf("%d deadlines", n)
		}
		time.Sleep(time.Hour + time.Second)
		if page, _, err := s.List(t.Context(), "", "", 10); err != nil || len(page) > 0 {
			t.Errorf("%d documents, %v", len(page), err)
		}
		if n := len(s.table.deadlines.queue); n != 0 {
			t.Errorf("%d deadlines of no document", n)
		}
	})
}

type silentSink struct{}

func (silentSink) Changed(string, string, ...document.Entry) {}
func (silentSink) Missed(string)                             {}

// begin makes the first change of a document.
func begin(t *testing.T, s *DocumentStore, channel string, ttl time.Duration) {
	t.Helper()
	rec, err := s.Load(t.Context(), channel, document.Known{})
	if err != nil {
		t.Fatal(err)
	}
	e := document.Entry{Version: 1, Key: "k", Patch: []byte("[]"), Time: time.Now()}
	if done, err := s.Commit(t.Context(), channel, document.Commit{Epoch: rec.Epoch, Entry: e, Keep: 10, TTL: ttl}); err != nil || done.Version != 1 {
		t.Fatal(done, err)
	}
}
