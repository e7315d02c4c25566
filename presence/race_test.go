package presence

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowNodes is twoNodes with a store that takes a second to get each call of the
// first node, and another one to answer. Nothing is on its way in the beginning.
func slowNodes(t *testing.T, f func(t *testing.T, a, b *site, wa, wb *watcher)) {
	t.Helper()
	twoNodes(t, Options{}, func(t *testing.T, a, b *site, wa, wb *watcher) {
		a.node.set(func(n *node) { n.slow = time.Second })
		f(t, a, b, wa, wb)
	})
}

// TestToldWhileReading has an event overtake the answer to a read that does not
// know of it.
func TestToldWhileReading(t *testing.T) {
	t.Parallel()
	slowNodes(t, func(t *testing.T, a, b *site, wa, _ *watcher) {
		a.node.sink.Missed("r")
		pass(1500 * time.Millisecond)
		b.enter("r", "ben", "2", Change{}, nil)
		pass(time.Minute)
		expect(t, "members", wa.members(), "ben")
	})
}

// TestTakenForDeadWhileEntering has the store leave for a node whose Enter it has
// done, before the node knows.
func TestTakenForDeadWhileEntering(t *testing.T) {
	t.Parallel()
	slowNodes(t, func(t *testing.T, a, _ *site, wa, wb *watcher) {
		a.enter("r", "ann", "1", Change{}, nil)
		pass(1500 * time.Millisecond)
		a.node.expire()
		pass(time.Minute)
		expect(t, "here", wa.members(), "ann")
		expect(t, "there", wb.members(), "ann")
	})
}

// TestBackAndGoneWhileLeaving has a member come back and go again while the store
// is being told that it left, which then fails. What is told next must not be told
// of two members.
func TestBackAndGoneWhileLeaving(t *testing.T) {
	t.Parallel()
	slowNodes(t, func(t *testing.T, a, _ *site, wa, wb *watcher) {
		ann := a.enter("r", "ann", "1", Change{}, nil)
		pass(time.Minute)
		ann.Leave()
		pass(200 * time.Millisecond)
		a.enter("r", "ann", "2", Change{}, nil).Leave()
		a.node.set(fails)
		pass(200 * time.Millisecond)
		a.enter("r", "ann", "3", Change{}, nil)
		pass(time.Second)
		a.node.set(func(n *node) { n.err = nil })
		pass(time.Minute)
		expect(t, "here", wa.members(), "ann")
		expect(t, "there", wb.members(), "ann")
	})
}

// TestEachIsToldOnce counts what a member costs the store.
func TestEachIsToldOnce(t *testing.T) {
	t.Parallel()
	slowNodes(t, func(t *testing.T, a, _ *site, _, _ *watcher) {
		a.node.set(func(n *node) { n.calls = 0 })
		ann := a.enter("r", "ann", "1", Change{}, nil)
		pass(time.Minute)
		ann.Leave()
		pass(time.Minute)
		a.node.set(func(n *node) {
			if n.calls != 2 {
				t.Errorf("%d calls, want one to enter and one to leave", n.calls)
			}
		})
	})
}

// TestReadIsNotStarved has members enter so fast that the store is never told of
// all of them. Who came first must get a snapshot nevertheless.
func TestReadIsNotStarved(t *testing.T) {
	t.Parallel()
	for name, ready := range map[string]bool{"first": false, "again": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			twoNodes(t, Options{Snapshot: 2000}, func(t *testing.T, a, b *site, wa, _ *watcher) {
				if !ready {
					wa.leave("r")
					pass(time.Second)
				}
				a.node.set(func(n *node) { n.slow, n.deaf, n.calls = 25*time.Millisecond, true, 0 })
				b.enter("r", "missed", "0", Change{}, nil)
				pass(time.Millisecond)
				a.node.recover()
				var got notes
				for i := range 1000 {
					a.enter("r", fmt.Sprintf("u%03d", i), fmt.Sprint(i), Change{}, got.add)
					pass(3 * time.Millisecond)
				}
				if all := got.all(); len(all) == 0 || !strings.Contains(all[len(all)-1], "=missed ") {
					t.Errorf("%d snapshots", len(all))
				}
			})
		})
	}
}

// TestHeldElsewhere has a member leave this node that another one holds, of which
// this node was not told but has read.
func TestHeldElsewhere(t *testing.T) {
	t.Parallel()
	twoNodes(t, Options{}, func(t *testing.T, a, b *site, wa, _ *watcher) {
		wa.leave("r")
		b.enter("r", "ann", "1", Change{}, nil)
		pass(time.Second)
		ann := a.enter("r", "ann", "2", Change{}, nil)
		wa = a.watch("r")
		pass(time.Second)
		ann.Leave()
		pass(time.Second)
		expect(t, "members", wa.members(), "ann")
	})
}

// TestBackWhileDetaching has somebody come into a room that is just being given
// up. What this node knew of it counts no longer.
func TestBackWhileDetaching(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault func(*node)
		want  string
	}{
		"the store answers": {func(*node) {}, "=ann =ben (2)"},
		"the store fails":   {fails, "=ann (1) partial"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slowNodes(t, func(t *testing.T, a, b *site, wa, _ *watcher) {
				b.enter("r", "ben", "2", Change{}, nil)
				b.enter("r", "gone", "3", Change{}, nil).Leave()
				pass(time.Second)
				wa.leave("r")
				pass(500 * time.Millisecond)
				a.node.set(c.fault)
				var got notes
				a.enter("r", "ann", "1", Change{}, got.add)
				pass(time.Minute)
				expect(t, "snapshot", got.all(), c.want)
				a.node.recover()
			})
		})
	}
}

// TestDropLooksAgain has somebody come between the decision to drop a room and
// the locks that it takes.
func TestDropLooksAgain(t *testing.T) {
	t.Parallel()
	inRoom(t, Options{}, func(t *testing.T, s *site, w *watcher) {
		s.enter("r", "ann", "1", Change{}, nil)
		r := s.room("r")
		if err := r.drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if s.rooms["r"] != r || r.dead {
			t.Error("dropped")
		}
		expect(t, "members", w.members(), "ann")
	})
}

// TestManyAtOnce lets goroutines enter and leave the same few rooms, which begin
// and end all the time, and then counts who stayed.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const clients, rounds = 8, 500
		s := newSite(t, newCluster(), Options{})
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				id, room := fmt.Sprint("c", i), fmt.Sprint("r", i%3)
				for range rounds {
					stay := s.enter(room, id, id, Change{}, nil)
					if err := stay.Update(Change{Status: Away}); err != nil {
						t.Error(err)
					}
					stay.Leave()
				}
				s.enter(room, id, id, Change{}, nil)
			})
		}
		wg.Wait()
		pass(time.Minute)
		for i := range 3 {
			room := fmt.Sprint("r", i)
			want := (clients - i + 2) / 3
			page, err := s.Members(t.Context(), room, Query{})
			if err != nil || page.Count != want || len(s.rooms[room].locals) != want {
				t.Errorf("%s: %d members, %v, want %d", room, page.Count, err, want)
			}
		}
	})
}
