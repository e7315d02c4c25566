package document

import (
	"errors"
	"fmt"
	"testing"
)

// elsewhere has another node change the document.
func (l *library) elsewhere(count int) {
	l.t.Helper()
	for range count {
		l.shelf.mu.Lock()
		v := l.shelf.version() + 1
		text := fmt.Sprintf(`{"n":%d}`, v)
		l.shelf.put("d", Commit{Epoch: "e", Entry: Entry{Version: v, Key: text, Patch: []byte(text), Touched: []string{"/n"}}})
		l.shelf.mu.Unlock()
	}
}

// While the store is away, a document can be read that is attached and of which this
// node has not missed anything.
func TestServiceStale(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("%w: away", ErrUnavailable)
	for name, c := range map[string]struct {
		attached bool
		before   func(*library)
		version  uint64 // that is read; 0: none
	}{
		"as it was read":     {true, func(*library) {}, 2},
		"and announced":      {true, func(l *library) { l.elsewhere(3) }, 5},
		"more than it keeps": {true, func(l *library) { l.elsewhere(maxHeard + 1) }, 0},
		"changed here":       {true, func(l *library) { l.change(Change{Latest: true}, `{"a":1}`) }, 3},
		"something missed":   {true, func(l *library) { l.Missed("d") }, 0},
		"read since":         {true, func(l *library) { l.Missed("d"); l.reads(2, `{"n":2}`) }, 2},
		"not attached":       {false, func(*library) {}, 0},
		"detached": {true, func(l *library) {
			l.Detach("d")
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLibrary(t)
			if c.attached {
				if err := l.Attach(t.Context(), "d"); err != nil {
					t.Fatal(err)
				}
			}
			l.elsewhere(2)
			l.reads(2, `{"n":2}`)
			c.before(l)
			l.shelf.fail = away
			snap, err := l.Read(t.Context(), "d", Options{})
			if c.version == 0 && !errors.Is(err, ErrUnavailable) || c.version > 0 && (err != nil || !snap.Stale || snap.Version != c.version) {
				t.Errorf("%+v, %v", snap, err)
			}
			if _, err := l.Change(t.Context(), "d", Change{Latest: true, Patch: patch(t, `{}`, Limits{})}, Options{}); !errors.Is(err, ErrUnavailable) {
				t.Errorf("a change: %v", err)
			}
			l.shelf.fail = nil
			snap, err = l.Read(t.Context(), "d", Options{})
			if err != nil || snap.Stale || snap.Version != l.shelf.version() {
				t.Errorf("afterwards %+v, %v", snap, err)
			}
		})
	}
}

// Up to a number of bytes a node keeps what it hears of a document.
func TestHeardBytes(t *testing.T) {
	t.Parallel()
	fill := func(bytes int) (h heard) {
		large := Entry{Version: 1, Patch: make([]byte, 1000)}
		h.add("e", large)
		h.add("e", Entry{Version: 2, Patch: make([]byte, bytes-large.Bytes()-entryBytes)})
		return h
	}
	if h := fill(maxHeardBytes); h.lost || len(h.entries) != 2 {
		t.Errorf("%d bytes do not fit: %d entries", maxHeardBytes, len(h.entries))
	}
	if h := fill(maxHeardBytes + 1); !h.lost || len(h.entries) != 0 || h.bytes != 0 {
		t.Errorf("more fit than %d bytes: %d entries of %d bytes", maxHeardBytes, len(h.entries), h.bytes)
	}
}

// A change is made to what was announced, without asking the store before.
func TestServiceHears(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.reads(0, `{}`)
	l.elsewhere(5)
	loads := l.shelf.loads
	if out := l.change(Change{Latest: true}, `{"mine":1}`); out.Version != 6 || l.shelf.loads != loads {
		t.Errorf("%+v, %d loads", out, l.shelf.loads-loads)
	}
	l.reads(6, `{"mine":1,"n":5}`)
}
