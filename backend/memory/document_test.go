package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/document"
)

func TestDocumentContract(t *testing.T) {
	t.Parallel()
	backendtest.RunDocument(t, func(*testing.T) func(document.Sink) document.Store {
		first := NewDocumentStore(unread{})
		return func(sink document.Sink) document.Store { return first.Join(sink) }
	})
}

// unread is a sink for tests that look at what is kept.
type unread struct{}

func (unread) Changed(string, string, ...document.Entry) {}
func (unread) Missed(string)                             {}

func commitNext(s *DocumentStore, version uint64, snapshot []byte, patch string, budget document.Budget) error {
	e := document.Entry{Version: version, Key: fmt.Sprint("k", version), Patch: []byte(patch)}
	done, err := s.Commit(context.Background(), "d", document.Commit{Epoch: *s.table.epoch.Load(), Entry: e, Snapshot: snapshot, Keep: 5, Budget: budget})
	if err == nil && done.Version != version {
		err = fmt.Errorf("committed as %d", done.Version)
	}
	return err
}

// TestDocumentIsBounded changes a document often: the log and the keys do not grow on.
func TestDocumentIsBounded(t *testing.T) {
	t.Parallel()
	s := NewDocumentStore(unread{})
	var r *documentRoom
	for v := range uint64(5000) {
		var snapshot []byte
		if (v+1)%100 == 0 {
			snapshot = []byte(`{}`)
		}
		if err := commitNext(s, v+1, snapshot, `{}`, document.Budget{}); err != nil {
			t.Fatal(err)
		}
		r = s.table.rooms.by["d"]
		if len(r.entries) > 110 || len(r.order) > maxDocumentKeys || len(r.keys) != len(r.order) {
			t.Fatalf("%d entries, %d keys", len(r.entries), len(r.keys))
		}
		if len(r.entries) < min(5, int(v)+1) {
			t.Fatalf("%d entries at version %d", len(r.entries), v+1)
		}
	}
	if s.table.ledger.all() != r.bytes || r.bytes < 1000 {
		t.Errorf("counted %d, the document %d", s.table.ledger.all(), r.bytes)
	}
}

// TestDocumentsAreFull refuses what goes beyond the bound, until there is space.
func TestDocumentsAreFull(t *testing.T) {
	t.Parallel()
	s := NewDocumentStore(unread{})
	budget := document.Budget{Memory: 4000}
	if err := commitNext(s, 1, make([]byte, 1000), `{}`, budget); err != nil {
		t.Fatal(err)
	}
	if err := commitNext(s, 2, nil, string(make([]byte, 1500)), budget); !errors.Is(err, document.ErrFull) {
		t.Errorf("a change beyond the bound: %v", err)
	}
	if err := commitNext(s, 2, []byte(`{}`), `{}`, budget); err != nil {
		t.Errorf("a change that makes space: %v", err)
	}
}

// TestDocumentRoomsEnd leaves nothing of documents that nobody has changed.
func TestDocumentRoomsEnd(t *testing.T) {
	t.Parallel()
	s := NewDocumentStore(unread{})
	for i := range 10 {
		channel := fmt.Sprint(i)
		if _, err := s.Load(context.Background(), channel, document.Known{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Attach(context.Background(), channel); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			s.Detach(channel)
		}
	}
	if n := len(s.table.rooms.by); n != 5 {
		t.Errorf("%d rooms while five are attached", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(s.table.rooms.by); n != 0 {
		t.Errorf("%d rooms left", n)
	}
}
