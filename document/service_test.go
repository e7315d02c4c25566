package document

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is a store for one document with all that it ever held. Tests make it fail,
// and let other nodes come first.
type shelf struct {
	sink Sink

	mu       sync.Mutex
	epoch    string
	snapshot []byte
	base     uint64
	entries  []Entry
	keys     map[string]uint64
	before   func(*Commit) error // runs before a commit, without the lock
	loads    int
	fail     error   // of loads and commits
	late     *Record // what a commit that comes too late is answered with
}

func (s *shelf) Attach(context.Context, string) error { return nil }
func (s *shelf) Detach(string)                        {}
func (s *shelf) Close() error                         { return nil }

func (s *shelf) version() uint64 {
	if len(s.entries) == 0 {
		return s.base
	}
	return s.entries[len(s.entries)-1].Version
}

func (s *shelf) Load(_ context.Context, _ string, known Known) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loads++; s.fail != nil {
		return Record{}, s.fail
	}
	r := Record{Epoch: s.epoch, Snapshot: s.snapshot, Version: s.base, Entries: s.entries}
	if known.Epoch == s.epoch && known.Version <= s.version() && len(s.entries) > 0 && known.Version+1 >= s.entries[0].Version {
		r.Snapshot, r.Version = nil, known.Version
		r.Entries = s.entries[known.Version+1-s.entries[0].Version:]
	}
	return r, nil
}

func (s *shelf) Commit(_ context.Context, channel string, c Commit) (Committed, error) {
	if s.before != nil {
		if err := s.before(&c); err != nil {
			return Committed{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return Committed{}, s.fail
	}
	if v := s.keys[c.Entry.Key]; v > 0 {
		return Committed{Version: v, Duplicate: true}, nil
	}
	if c.Epoch != s.epoch || c.Entry.Version != s.version()+1 {
		return Committed{Now: s.late}, nil
	}
	s.put(channel, c)
	return Committed{Version: c.Entry.Version}, nil
}

func (s *shelf) put(channel string, c Commit) {
	s.entries = append(s.entries, c.Entry)
	s.keys[c.Entry.Key] = c.Entry.Version
	if c.Snapshot != nil {
		s.snapshot, s.base = c.Snapshot, c.Entry.Version
	}
	s.sink.Changed(channel, c.Epoch, c.Entry)
}

func (s *shelf) Find(_ context.Context, _, key string) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[key], nil
}

func (s *shelf) Forget(_ context.Context, channel string, only Known) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if only.Epoch != "" && (only.Epoch != s.epoch || only.Version != s.version()) {
		return false, nil
	}
	s.epoch, s.snapshot, s.base, s.entries, s.keys = s.epoch+"'", nil, 0, nil, make(map[string]uint64)
	s.sink.Missed(channel)
	return true, nil
}

func (s *shelf) List(context.Context, string, string, int) ([]Info, bool, error) {
	return []Info{{Channel: "d", Version: s.version()}}, false, nil
}

// library is a service on a shelf, and what was announced.
type library struct {
	*Service
	shelf *shelf
	logs  *strings.Builder // read after the calls that write
	t     *testing.T
	mu    sync.Mutex
	news  []News
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	l := &library{t: t, logs: new(strings.Builder), shelf: &shelf{epoch: "e", keys: make(map[string]uint64)}}
	var err error
	l.Service, err = New(func(s Sink) (Store, error) {
		l.shelf.sink = s
		return l.shelf, nil
	}, func(n News) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.news = append(l.news, n)
	})
	if err != nil {
		t.Fatal(err)
	}
	l.WithLogger(slog.New(slog.NewTextHandler(l.logs, nil)))
	return l
}

func (l *library) change(c Change, text string) Outcome {
	l.t.Helper()
	c.Patch = patch(l.t, text, Limits{Root: true})
	out, err := l.Change(l.t.Context(), "d", c, Options{})
	if err != nil {
		l.t.Fatalf("%s: %v", text, err)
	}
	return out
}

func (l *library) reads(version uint64, state string) {
	l.t.Helper()
	got, err := l.Read(l.t.Context(), "d", Options{})
	if err != nil || got.Version != version || string(got.State) != state {
		l.t.Errorf("read %s at %d, %v; want %s at %d", got.State, got.Version, err, state, version)
	}
}

func TestServiceChanges(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.reads(0, `{}`)
	out := l.change(Change{Key: "a", Author: "ann", Origin: "here"}, `{"a":1}`)
	if out.Err != nil || out.Version != 1 || out.Epoch != "e" || out.Duplicate {
		t.Errorf("%+v", out)
	}
	l.reads(1, `{"a":1}`)
	if n := l.news[0]; n.Channel != "d" || n.Epoch != "e" || n.Origin != "here" || n.Entry.Author != "ann" || string(n.Entry.Patch) != `{"a":1}` || n.Entry.Version != 1 {
		t.Errorf("%+v", n)
	}
	if again := l.change(Change{Key: "a"}, `{"a":1}`); !again.Duplicate || again.Version != 1 {
		t.Errorf("%+v", again)
	}
	out = l.change(Change{Base: 0}, `{"a":2}`)
	if out.Err == nil || out.Err.Reason != Conflict || out.Version != 1 || string(out.State) != `{"a":1}` {
		t.Errorf("%+v", out)
	}
	if len(l.news) != 1 || len(l.flights) != 0 {
		t.Errorf("%d announced, %d flights kept", len(l.news), len(l.flights))
	}
	l.Missed("d")
	if n := l.news[1]; n.Entry.Version != 0 || n.Channel != "d" {
		t.Errorf("%+v", n)
	}
}

// Another node comes first, again and again.
func TestServiceIsLate(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	others := 0
	l.shelf.before = func(c *Commit) error {
		if others++; others%3 != 0 {
			l.shelf.mu.Lock()
			defer l.shelf.mu.Unlock()
			v := l.shelf.version() + 1
			text := fmt.Sprintf(`{"o%d":1}`, v)
			l.shelf.put("d", Commit{Epoch: "e", Entry: Entry{Version: v, Key: text, Patch: []byte(text), Touched: []string{fmt.Sprintf("/o%d", v)}}})
		}
		return nil
	}
	if out := l.change(Change{Key: "k"}, `{"a":1}`); out.Version != 3 || out.Err != nil {
		t.Errorf("%+v", out)
	}
	l.reads(3, `{"a":1,"o1":1,"o2":1}`)
	if out := l.change(Change{Base: 3}, `{"o4":2}`); out.Err == nil || out.Err.Reason != Conflict || out.Version != 4 {
		t.Errorf("%+v", out)
	}
	l.shelf.before = func(c *Commit) error {
		l.shelf.mu.Lock()
		defer l.shelf.mu.Unlock()
		l.shelf.put("d", Commit{Epoch: "e", Entry: Entry{Version: l.shelf.version() + 1, Key: fmt.Sprint("x", l.shelf.version()), Patch: []byte(`{}`)}})
		return nil
	}
	if _, err := l.Change(t.Context(), "d", Change{Latest: true, Patch: patch(t, `{}`, Limits{})}, Options{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a change that never comes first: %v", err)
	}
}

// A commit of which nobody knows what became of it is repeated without harm, also
// when the log has forgotten it.
func TestServiceOutcomeUnknown(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	lost := errors.New("lost")
	l.shelf.before = func(c *Commit) error {
		l.shelf.before = nil
		l.shelf.mu.Lock()
		defer l.shelf.mu.Unlock()
		l.shelf.put("d", *c)
		return lost
	}
	c := Change{Key: "k", Patch: patch(t, `[{"op":"add","path":"/list","value":[]}]`, Limits{})}
	if _, err := l.Change(t.Context(), "d", c, Options{History: 2}); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	for range 5 {
		if _, err := l.Change(t.Context(), "d", Change{Latest: true, Patch: patch(t, `{"x":1}`, Limits{})}, Options{History: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := l.Change(t.Context(), "d", c, Options{History: 2}); err != nil || !out.Duplicate || out.Version != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// Over another connection a change is repeated, and is announced here only then. The
// proposer is answered once: with the news, or with the outcome.
func TestServiceAnswersOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		announced bool
		fail      error
		want      Outcome
	}{
		"Announced":       {true, nil, Outcome{Epoch: "e", Version: 1}},
		"AnnouncedFailed": {true, errors.New("lost"), Outcome{Epoch: "e", Version: 1}},
		"NotAnnounced":    {false, nil, Outcome{Epoch: "e", Version: 1, Duplicate: true}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLibrary(t)
			first := Entry{Version: 1, Key: "k", Patch: []byte(`{"a":1}`)}
			l.shelf.before = func(*Commit) error {
				l.shelf.before = nil
				l.shelf.mu.Lock()
				l.shelf.entries, l.shelf.keys["k"] = []Entry{first}, 1
				l.shelf.mu.Unlock()
				if test.announced {
					l.shelf.sink.Changed("d", "e", first)
				}
				return test.fail
			}
			out := l.change(Change{Key: "k", Origin: "here"}, `{"a":1}`)
			if out.Epoch != test.want.Epoch || out.Version != test.want.Version || out.Duplicate != test.want.Duplicate || out.Err != nil {
				t.Errorf("%+v, want %+v", out, test.want)
			}
			if !test.announced {
				l.shelf.sink.Changed("d", "e", first)
			}
			if told := l.news[0].Origin == "here"; len(l.news) != 1 || told != test.announced {
				t.Errorf("%+v", l.news)
			}
			if len(l.flights) != 0 {
				t.Errorf("%d flights are kept", len(l.flights))
			}
		})
	}
}

// The store has lost the document: what is known of it counts no more.
func TestServiceNewEpoch(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.change(Change{}, `{"a":1}`)
	l.shelf.epoch, l.shelf.entries, l.shelf.keys = "f", nil, make(map[string]uint64)
	out := l.change(Change{Epoch: "e", Base: 1}, `{"b":1}`)
	if out.Err == nil || out.Err.Reason != Conflict || out.Epoch != "f" || out.Version != 0 || string(out.State) != `{}` {
		t.Errorf("%+v", out)
	}
	if out = l.change(Change{Epoch: "f"}, `{"b":1}`); out.Err != nil || out.Version != 1 {
		t.Errorf("%+v", out)
	}
}

// A node that knows nothing begins with the snapshot, and can still compare with what
// was before it.
func TestServiceSnapshots(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	for i := range snapshotEvery + 5 {
		l.change(Change{Base: uint64(i)}, fmt.Sprintf(`{"n%d":1}`, i%7))
	}
	if l.shelf.base <= 60 || l.shelf.base > snapshotEvery || len(l.shelf.snapshot) == 0 {
		t.Fatalf("a snapshot at version %d", l.shelf.base)
	}
	want, err := l.Read(t.Context(), "d", Options{})
	if err != nil {
		t.Fatal(err)
	}
	fresh := newLibrary(t)
	fresh.shelf.snapshot, fresh.shelf.base, fresh.shelf.entries = l.shelf.snapshot, l.shelf.base, l.shelf.entries[50:]
	fresh.reads(want.Version, string(want.State))
	if out := fresh.change(Change{Base: 60}, `{"mine":1}`); out.Err != nil {
		t.Errorf("a change made before the snapshot: %v", out.Err)
	}
	if out := fresh.change(Change{Base: 60}, `{"n3":2}`); out.Err == nil {
		t.Error("a change of what changed before the snapshot was made")
	}
	l.change(Change{Latest: true}, `[{"op":"replace","path":"","value":{}}]`)
	if string(l.shelf.snapshot) != `{}` {
		t.Errorf("no snapshot of a document that was replaced: %s", l.shelf.snapshot)
	}
}

// Who waits for a turn does so only as long as it wants to.
func TestServiceTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLibrary(t)
		hold := make(chan struct{})
		l.shelf.before = func(*Commit) error {
			<-hold
			return nil
		}
		var wg sync.WaitGroup
		wg.Go(func() { l.change(Change{}, `{"a":1}`) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Read(ctx, "d", Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if _, err := l.Read(t.Context(), "other", Options{}); err != nil {
			t.Errorf("another document has to wait: %v", err)
		}
		close(hold)
		wg.Wait()
		l.reads(1, `{"a":1}`)
	})
}

func TestServiceForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLibrary(t)
		for i := range 10 {
			if _, err := l.Read(t.Context(), fmt.Sprint(i), Options{}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(l.cache.docs); n != 10 {
			t.Errorf("%d documents", n)
		}
		time.Sleep(cacheIdle)
		l.reads(0, `{}`)
		if n := len(l.cache.docs); n != 1 {
			t.Errorf("%d documents after a while", n)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Read(t.Context(), "d", Options{}); !errors.Is(err, ErrClosed) {
			t.Errorf("read after the end: %v", err)
		}
	})
}

// A document that is forgotten begins again, and what this node knew of it is gone.
func TestServiceForget(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.change(Change{Key: "k"}, `{"a":1}`)
	if done, err := l.Forget(t.Context(), "d", Known{Epoch: "e", Version: 2}); err != nil || done {
		t.Errorf("at another version: %t, %v", done, err)
	}
	l.reads(1, `{"a":1}`)
	if done, err := l.Forget(t.Context(), "d", Known{Epoch: "e", Version: 1}); err != nil || !done {
		t.Errorf("%t, %v", done, err)
	}
	if n := l.news[len(l.news)-1]; n.Channel != "d" || n.Entry.Version != 0 {
		t.Errorf("%+v", n)
	}
	// The same key is another change now.
	if out := l.change(Change{Key: "k"}, `{"b":1}`); out.Duplicate || out.Version != 1 || out.Epoch == "e" {
		t.Errorf("%+v", out)
	}
	l.reads(1, `{"b":1}`)
}

// Large changes of a small document do not stay, however many may.
func TestServiceKeepsFewBytes(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	text := `{"a":"` + strings.Repeat("x", 60_000) + `"}`
	for range 50 {
		if out := l.change(Change{Latest: true}, text); out.Err != nil {
			t.Fatal(out.Err)
		}
	}
	d := l.cache.docs["d"]
	total := 0
	for _, e := range d.state.log {
		total += e.Bytes()
	}
	if total > maxLogBytes || total != d.state.bytes || len(d.state.log) != 4 {
		t.Errorf("%d entries of %d bytes, counted as %d", len(d.state.log), total, d.state.bytes)
	}
}

// The budget of a change says how much all documents may take after it.
func TestBudget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		payer   string
		version uint64
		want    int64
	}{{"ann", 0, 750}, {"ann", 1, 875}, {"", 0, 1000}, {"", 1, 1000}} {
		if got := (Budget{Payer: tt.payer, Memory: 1000}).bound(tt.version); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}
