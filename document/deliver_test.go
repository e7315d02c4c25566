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
