package redis

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// documentNode is the documents of one node, with the copies of a client that follows the rules of
// the protocol.
type documentNode struct {
	*document.Service
	t *testing.T

	mu      sync.Mutex
	shelf   map[string]*followedCopy
	changed chan struct{} // closed and replaced with each announcement
}

// followedCopy is a document as it was read and followed.
type followedCopy struct {
	epoch   string
	version uint64
	tree    document.Tree
	missed  int  // times that it had to be read again
	reading bool // entries that arrive now are for after the read
	later   []document.News
}

func newLibrary(t *testing.T, o Options) *documentNode {
	t.Helper()
	l := &documentNode{t: t, shelf: make(map[string]*followedCopy), changed: make(chan struct{})}
	c := open(t, o)
	var err error
	l.Service, err = document.New(func(sink document.Sink) (document.Store, error) { return c.Documents(sink), nil }, l.announce)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func (l *documentNode) announce(n document.News) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	if d := l.shelf[n.Channel]; d != nil {
		l.take(d, n)
	}
}

func (l *documentNode) take(d *followedCopy, n document.News) {
	switch e := n.Entry; {
	case e.Version == 0:
		d.missed++
		d.reading, d.later = true, nil
	case d.reading:
		d.later = append(d.later, n)
	case n.Epoch == d.epoch && e.Version <= d.version:
	case n.Epoch != d.epoch || e.Version != d.version+1:
		l.t.Errorf("%s: version %d of %s after %d of %s", n.Channel, e.Version, n.Epoch, d.version, d.epoch)
	default:
		d.tree, d.version = applied(l.t, d.tree, e.Patch), e.Version
	}
}

func applied(t *testing.T, tree document.Tree, patch []byte) document.Tree {
	free := document.Limits{Root: true}
	p, e := document.ParsePatch(patch, free)
	if e == nil {
		tree, _, e = document.Apply(tree, p, free)
	}
	if e != nil {
		t.Errorf("%s: %v", patch, e)
	}
	return tree
}

// follow attaches a document and reads it, or reads it again.
func (l *documentNode) follow(channel string) {
	l.t.Helper()
	l.mu.Lock()
	d := l.shelf[channel]
	if d == nil {
		d = new(followedCopy)
		l.shelf[channel] = d
	}
	first := d.epoch == ""
	d.reading = true
	l.mu.Unlock()
	if first {
		if err := l.Attach(l.t.Context(), channel); err != nil {
			l.t.Fatal(err)
		}
	}
	snap := l.read(channel)
	tree, e := document.Parse(snap.State, document.Limits{})
	if e != nil {
		l.t.Fatal(e)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d.epoch, d.version, d.tree = snap.Epoch, snap.Version, tree
	later := d.later
	d.reading, d.later = false, nil
	for _, n := range later {
		l.take(d, n)
	}
}

func (l *documentNode) read(channel string) document.Snapshot {
	l.t.Helper()
	snap, err := l.Read(l.t.Context(), channel, document.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	return snap
}

// set changes one member, on top of any state of the document. It repeats that until it
// succeeds.
func (l *documentNode) set(channel, name string, value int) document.Outcome {
	l.t.Helper()
	for {
		out, err := l.propose(channel, document.Change{Key: fmt.Sprint(name, "=", value), Latest: true}, name, value)
		if err == nil && out.Err == nil {
			return out
		}
		if err == nil || !errors.Is(err, document.ErrUnavailable) {
			l.t.Fatalf("%+v, %v", out, err)
		}
		if pause(l.t.Context(), 5*time.Millisecond) != nil {
			l.t.Fatal("this takes too long")
		}
	}
}

func (l *documentNode) propose(channel string, c document.Change, name string, value int) (document.Outcome, error) {
	p, e := document.ParsePatch(fmt.Appendf(nil, `{%q:%d}`, name, value), document.Limits{})
	if e != nil {
		l.t.Fatal(e)
	}
	c.Patch = p
	return l.Change(l.t.Context(), channel, c, document.Options{})
}

// replace replaces a whole document, which writes a snapshot.
func (l *documentNode) replace(channel, state string) {
	l.t.Helper()
	tree, e := document.Parse([]byte(state), document.Limits{})
	if e != nil {
		l.t.Fatal(e)
	}
	c := document.Change{Latest: true, Patch: document.Replacement(tree)}
	if out, err := l.Change(l.t.Context(), channel, c, document.Options{Limits: document.Limits{Root: true}}); err != nil || out.Err != nil {
		l.t.Fatalf("%+v, %v", out, err)
	}
}

// await waits until a condition holds for a followed document. It checks the condition under
// the lock.
func (l *documentNode) await(channel, what string, enough func(*followedCopy) bool) {
	l.t.Helper()
	over := time.After(patience)
	for {
		l.mu.Lock()
		done, changed := enough(l.shelf[channel]), l.changed
		l.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-over:
			l.t.Fatalf("this does not happen: %s", what)
		}
	}
}

// agree waits until each library's followed copy is what a read returns.
func agree(t *testing.T, channel string, ls ...*documentNode) {
	t.Helper()
	want := ls[0].read(channel)
	for _, l := range ls {
		l.await(channel, fmt.Sprint("version ", want.Version), func(d *followedCopy) bool { return d.version >= want.Version })
		l.mu.Lock()
		d := l.shelf[channel]
		if got := string(d.tree.Text()); d.epoch != want.Epoch || got != string(want.State) {
			t.Errorf("%s at %d of %s, want %s at %d of %s", got, d.version, d.epoch, want.State, want.Version, want.Epoch)
		}
		l.mu.Unlock()
		if snap := l.read(channel); snap.Stale || string(snap.State) != string(want.State) {
			t.Errorf("read %+v, want %+v", snap, want)
		}
	}
}

// dump and restoreAll take all of Redis back in time. A failover to a replica that lags does
// the same.
func (s *server) dump() map[string]any {
	all := make(map[string]any)
	for _, key := range s.do("keys", "*").([]any) {
		all[key.(string)] = s.do("dump", key)
	}
	return all
}

func (s *server) restoreAll(dump map[string]any) {
	s.t.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr, Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: noMaintNotifications()})
	defer c.Close()
	pipe := c.TxPipeline()
	pipe.FlushAll(s.t.Context())
	for key, value := range dump {
		pipe.Restore(s.t.Context(), key, 0, value.(string))
	}
	if _, err := pipe.Exec(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// Redis loses the newest changes and gives their versions to others. A node that saw the lost
// changes reads the document again in another epoch, and no change is made on top of them.
func TestDrillDocumentRollback(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]struct {
		away bool // the node has no link meanwhile
		n    int  // changes that are made then
	}{
		"nothing is written": {n: 0},
		"fewer are written":  {n: 2},
		"as many":            {n: 3},
		"more are written":   {n: 9},
		"away, nothing":      {away: true, n: 0},
		"away, fewer":        {away: true, n: 2},
		"away, as many":      {away: true, n: 3},
		"away, more":         {away: true, n: 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			p := faultproxy.Start(t, s.Addr)
			l, writer := newLibrary(t, quickOptions(p.Addr())), newLibrary(t, quickOptions(s.Addr))
			l.follow("doc")
			for k := range 7 {
				writer.set("doc", "a", k)
			}
			dump := s.dump()
			for k := range 3 {
				writer.set("doc", fmt.Sprint("lost", k), k)
			}
			l.await("doc", "all is delivered", func(d *followedCopy) bool { return d.version == 10 })
			seen := l.read("doc")
			if after.away {
				p.Away()
			}
			s.restoreAll(dump)
			other := newLibrary(t, quickOptions(s.Addr)) // it does not know what is lost
			for k := range after.n {
				other.set("doc", fmt.Sprint("b", k), k)
			}
			p.Heal()
			l.await("doc", "it has to be read again", func(d *followedCopy) bool { return d.missed == 1 })
			l.follow("doc")
			writer.follow("doc")
			other.follow("doc")
			agree(t, "doc", l, writer, other)
			snap := l.read("doc")
			if snap.Epoch == seen.Epoch || snap.Version != uint64(7+after.n) {
				t.Errorf("version %d of %s, before %d of %s", snap.Version, snap.Epoch, seen.Version, seen.Epoch)
			}
			if out, err := l.propose("doc", document.Change{Epoch: seen.Epoch, Base: seen.Version}, "c", 1); err != nil || out.Err == nil || out.Err.Reason != document.Conflict {
				t.Errorf("a change of what was lost: %+v, %v", out, err)
			}
			if out := writer.set("doc", "a", 4); !out.Duplicate || out.Version != 5 {
				t.Errorf("a change that was kept, once more: %+v", out)
			}
			if out := writer.set("doc", "lost1", 1); out.Duplicate || out.Version != snap.Version+1 {
				t.Errorf("a change that was lost, once more: %+v", out)
			}
			agree(t, "doc", l, writer, other)
		})
	}
}

// While Redis is away nothing can be changed, and followed documents can be read. Afterwards
// all nodes have the same, whether Redis has kept the documents or not.
func TestDrillDocumentRestart(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]bool{"kept": true, "lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var args []string
			if kept {
				args = []string{"--appendonly", "yes", "--appendfsync", "always"} // or the end may be lost
			}
			s := startServer(t, args...)
			a, b := newLibrary(t, quickOptions(s.Addr)), newLibrary(t, quickOptions(s.Addr))
			for _, l := range []*documentNode{a, b} {
				l.follow("doc")
			}
			a.set("doc", "a", 1)
			b.set("doc", "b", 1)
			a.set("other", "a", 1)
			agree(t, "doc", a, b)
			before := a.read("doc")
			s.Kill()
			for _, l := range []*documentNode{a, b} {
				if out, err := l.propose("doc", document.Change{Key: "x", Latest: true}, "x", 1); !errors.Is(err, document.ErrUnavailable) {
					t.Errorf("a change without Redis: %+v, %v", out, err)
				}
				if err := l.Attach(t.Context(), "doc"); err != nil {
					t.Errorf("once more without Redis: %v", err)
				}
				if snap := l.read("doc"); !snap.Stale || snap.Version != 2 || string(snap.State) != string(before.State) {
					t.Errorf("read without Redis: %+v", snap)
				}
				if err := l.Attach(t.Context(), "other"); !errors.Is(err, document.ErrUnavailable) {
					t.Errorf("another one without Redis: %v", err)
				}
				if _, err := l.Read(t.Context(), "other", document.Options{}); !errors.Is(err, document.ErrUnavailable) {
					t.Errorf("read what is not followed, without Redis: %v", err)
				}
			}
			s.Restart()
			if !kept {
				for _, l := range []*documentNode{a, b} {
					l.await("doc", "it has to be read again", func(d *followedCopy) bool { return d.missed > 0 })
					l.follow("doc")
				}
			}
			out := a.set("doc", "a", 2)
			if want := map[bool]uint64{true: 3, false: 1}[kept]; out.Version != want || (out.Epoch == before.Epoch) != kept {
				t.Errorf("version %d of %s, before %s", out.Version, out.Epoch, before.Epoch)
			}
			b.set("doc", "b", 2)
			agree(t, "doc", a, b)
			for _, l := range []*documentNode{a, b} {
				if got := l.shelf["doc"].missed; kept && got != 0 || !kept && got != 1 {
					t.Errorf("read again %d times", got)
				}
			}
		})
	}
}

// When the link is back, the node fetches what it missed by itself, also when that is more than
// one page.
func TestDrillDocumentMissed(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 60, 500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			p := faultproxy.Start(t, s.Addr)
			l, other := newLibrary(t, quickOptions(p.Addr())), newLibrary(t, quickOptions(s.Addr))
			l.follow("doc")
			other.set("doc", "a", 0)
			p.Away()
			for k := range n {
				other.set("doc", "b", k)
			}
			p.Heal()
			l.await("doc", "it has all", func(d *followedCopy) bool { return d.version == uint64(n+1) || d.missed > 0 })
			if missed := l.shelf["doc"].missed > 0; missed != (n > document.DefaultHistory+100) {
				t.Errorf("after %d changes it has to be read again: %v", n, missed)
			}
		})
	}
}

// Three nodes change one document as fast as they can. None of them is always last.
func TestDrillDocumentCrowd(t *testing.T) {
	t.Parallel()
	const nodes, writers, each = 3, 4, 40
	s := startServer(t)
	var ls []*documentNode
	for range nodes {
		l := newLibrary(t, patientOptions(s.Addr))
		l.follow("doc")
		ls = append(ls, l)
	}
	var wg sync.WaitGroup
	for i, l := range ls {
		for w := range writers {
			wg.Go(func() {
				for k := range each {
					out, err := l.propose("doc", document.Change{Latest: true}, fmt.Sprint(i, "-", w), k)
					if err != nil || out.Err != nil {
						t.Errorf("node %d: %+v, %v", i, out, err)
					}
				}
			})
		}
	}
	wg.Wait()
	agree(t, "doc", ls...)
	if v := ls[0].read("doc").Version; v != nodes*writers*each {
		t.Errorf("version %d", v)
	}
}
