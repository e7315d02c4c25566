package document

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// While a document can not be read, no change of it is committed: the node would not know to what.
func TestServiceCommitsNothingUnread(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	lost := errors.New("lost")
	l.shelf.fail = lost
	l.shelf.before = func(*Commit) error {
		t.Error("a change is committed to a document that could not be read")
		return nil
	}
	c := Change{Patch: patch(t, `{"a":1}`, Limits{})}
	if _, err := l.Change(t.Context(), "d", c, Options{}); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
}

// A store may answer a commit that is late with what the node has missed. The node does not ask again then.
func TestServiceTakesTheRecordOfALateCommit(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.change(Change{}, `{"a":1}`)
	loads := l.shelf.loads
	theirs := Entry{Version: 2, Key: "theirs", Patch: []byte(`{"b":2}`), Touched: []string{"/b"}}
	l.shelf.before = func(*Commit) error {
		l.shelf.before = nil
		l.shelf.mu.Lock()
		defer l.shelf.mu.Unlock()
		l.shelf.entries = append(l.shelf.entries, theirs)
		l.shelf.late = &Record{Epoch: "e", Version: 1, Entries: []Entry{theirs}}
		return nil
	}
	if out := l.change(Change{Base: 1}, `{"c":3}`); out.Err != nil || out.Version != 3 || l.shelf.loads != loads {
		t.Errorf("%+v, %d loads", out, l.shelf.loads-loads)
	}
	l.reads(3, `{"a":1,"b":2,"c":3}`)
}

// A snapshot is due after a number of changes, and after as many bytes of changes as the document has.
func TestSnapshotDue(t *testing.T) {
	t.Parallel()
	small, large := parse(t, `{}`), parse(t, `"`+strings.Repeat("x", 2*snapshotBytes-2)+`"`)
	e := Entry{Version: 1000, Touched: []string{"/a"}}
	for _, c := range []struct {
		name string
		doc  doc
		tree Tree
		want bool
	}{
		{"before the last change", doc{snapshot: e.Version - snapshotEvery + 1}, small, false},
		{"after the last change", doc{snapshot: e.Version - snapshotEvery}, small, true},
		{"as many bytes as may be", doc{snapshot: 999, since: snapshotBytes - e.Bytes()}, small, false},
		{"a byte more", doc{snapshot: 999, since: snapshotBytes - e.Bytes() + 1}, small, true},
		{"as many bytes as the document", doc{snapshot: 999, since: 2*snapshotBytes - e.Bytes()}, large, false},
		{"a byte more than the document", doc{snapshot: 999, since: 2*snapshotBytes - e.Bytes() + 1}, large, true},
	} {
		if got := c.doc.snapshotDue(&e, c.tree); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	whole := Entry{Version: 1000, Touched: []string{"/a", ""}}
	if !(&doc{snapshot: 999}).snapshotDue(&whole, small) {
		t.Error("no snapshot of a document that was replaced")
	}
}

// A change that came too late is tried again at once, and waits from the fourth time on.
func TestServicePausesBetweenTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLibrary(t)
		// Of one pause nothing could be said: it takes up to maxPause, and may take no time.
		const changes = 10
		for _, c := range []struct {
			late   int
			pauses bool
		}{{3, false}, {4, true}} {
			started := time.Now()
			for range changes {
				n := 0
				l.shelf.before = func(*Commit) error {
					if n++; n <= c.late {
						l.elsewhere(1)
					}
					return nil
				}
				l.change(Change{Latest: true}, `{"a":1}`)
			}
			if took := time.Since(started); took > 0 != c.pauses || took > changes*maxPause {
				t.Errorf("changes that were late %d times took %v", c.late, took)
			}
		}
	})
}

// A change that does not fit what the node knows may fit what the store has. The node reads that before it
// rejects the change.
func TestServiceReadsBeforeItRejects(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.change(Change{}, `{"a":1}`)
	theirs := Entry{Version: 2, Key: "theirs", Patch: []byte(`{"b":2}`), Touched: []string{"/b"}}
	l.shelf.entries = append(l.shelf.entries, theirs) // this node was not told of it
	if out := l.change(Change{Base: 2}, `{"b":3}`); out.Err != nil || out.Version != 3 {
		t.Errorf("a change of a state that the node did not know: %+v", out)
	}
	l.reads(3, `{"a":1,"b":3}`)
	lost := errors.New("lost")
	l.shelf.fail = lost
	c := Change{Base: 2, Patch: patch(t, `{"b":4}`, Limits{})}
	if out, err := l.Change(t.Context(), "d", c, Options{}); !errors.Is(err, lost) {
		t.Errorf("a change that may be wrong, while the store is away: %+v, %v", out, err)
	}
}
