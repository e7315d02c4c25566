package presence

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var errAway = errors.New("the store is away")

func fails(n *node) { n.err = errAway }

// twoNodes runs a test on two nodes of a cluster, each with somebody who watches
// the room "r".
func twoNodes(t *testing.T, o Options, f func(t *testing.T, a, b *site, wa, wb *watcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		a, b := newSite(t, c, o), newSite(t, c, o)
		wa, wb := a.watch("r"), b.watch("r")
		pass(0)
		a.keep, b.keep = true, true
		f(t, a, b, wa, wb)
		pass(time.Minute)
	})
}

func TestTwoNodes(t *testing.T) {
	t.Parallel()
	twoNodes(t, grace, func(t *testing.T, a, b *site, wa, wb *watcher) {
		one := a.enter("r", "ann", "1", Change{Status: Away}, nil)
		pass(time.Second)
		two := b.enter("r", "ann", "2", Change{}, nil)
		pass(time.Second)
		one.Lose()
		pass(time.Minute)
		two.Lose()
		pass(time.Second)
		three := a.enter("r", "ann", "3", Change{}, nil)
		pass(time.Minute)
		three.Leave()
		pass(time.Second)
		for _, s := range []*site{a, b} {
			expect(t, "told", s.taken("r"), "+ann/away (1)", "~ann (1)", "-ann (0)")
		}
	})
}

func TestFirstSnapshotIsTheWholeRoom(t *testing.T) {
	t.Parallel()
	twoNodes(t, grace, func(t *testing.T, a, b *site, _, wb *watcher) {
		wb.leave("r")
		a.enter("r", "ann", "1", Change{}, nil)
		a.enter("r", "bob", "2", Change{}, nil)
		pass(time.Second)
		b.taken("r")
		b.node.set(func(n *node) { n.slow = 2 * time.Second })
		var got notes
		for _, id := range []string{"cid", "dan"} {
			b.enter("r", id, id, Change{}, func(p *Snapshot) { got.add(p.WithSelf()) })
		}
		pass(time.Second)
		expect(t, "not read yet", got.all())
		pass(time.Minute)
		expect(t, "read", got.all(), "=ann =bob =cid =dan (4)", "=ann =bob =cid =dan (4)")
		expect(t, "needs no diff", b.taken("r"))
		expect(t, "others", a.taken("r"), "+ann +bob (2)", "+cid +dan (4)")
	})
}

func TestStoreFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*node){
		"with an error": fails,
		"by hanging":    func(n *node) { n.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			twoNodes(t, Options{}, func(t *testing.T, a, b *site, wa, wb *watcher) {
				ann := a.enter("r", "ann", "1", Change{}, nil)
				b.enter("r", "ben", "2", Change{}, nil)
				pass(time.Second)
				a.node.set(fault)
				ann.Leave()
				pass(6 * time.Second)
				expect(t, "who was here has left", wa.members(), "ben")
				cid := a.enter("r", "cid", "3", Change{}, nil)
				dan := a.enter("r", "dan", "4", Change{}, nil)
				pass(200 * time.Millisecond)
				expect(t, "who is here is shown", wa.members(), "ben", "cid", "dan")
				dan.Leave()
				if err := cid.Update(Change{Status: "alone"}); err != nil {
					t.Fatal(err)
				}
				pass(200 * time.Millisecond)
				expect(t, "at once", wa.members(), "ben", "cid/alone")
				expect(t, "others cannot know", wb.members(), "ann", "ben")
				if !wa.partial || wb.partial {
					t.Error("wrong word about what is partial")
				}
				a.node.set(func(n *node) { n.err, n.hang = nil, false })
				pass(time.Minute)
				expect(t, "here", wa.members(), "ben", "cid/alone")
				expect(t, "there", wb.members(), "ben", "cid/alone")
				if wa.partial || wb.partial {
					t.Error("still partial")
				}
			})
		})
	}
}

func TestStoreFailsFromTheBeginning(t *testing.T) {
	t.Parallel()
	twoNodes(t, grace, func(t *testing.T, a, b *site, wa, wb *watcher) {
		b.enter("r", "ben", "2", Change{}, nil)
		wa.leave("r")
		pass(time.Second)
		a.node.set(fails)
		wa = a.watch("r")
		var got notes
		a.enter("r", "ann", "1", Change{}, got.add)
		pass(time.Second)
		expect(t, "snapshot", got.all(), "=ann (1) partial")
		page, err := a.Members(context.Background(), "r", Query{Limit: 1})
		if err != nil || !page.Partial || page.Count != 1 || page.Members[0].Key != "ann" {
			t.Errorf("%+v, %v", page, err)
		}
		if _, err := a.Members(context.Background(), "elsewhere", Query{Limit: 1}); !errors.Is(err, errAway) {
			t.Errorf("unknown room: %v", err)
		}
		a.node.recover()
		pass(time.Minute)
		expect(t, "here", wa.members(), "ann", "ben")
		expect(t, "there", wb.members(), "ann", "ben")
	})
}

// TestRetriesAreSpaced counts how often a store that is away is asked.
func TestRetriesAreSpaced(t *testing.T) {
	t.Parallel()
	twoNodes(t, grace, func(t *testing.T, a, _ *site, _, _ *watcher) {
		a.node.set(func(n *node) { n.err, n.calls = errAway, 0 })
		for i := range 100 {
			a.enter("r", fmt.Sprint(i), fmt.Sprint(i), Change{}, nil)
			pass(600 * time.Millisecond)
		}
		a.node.set(func(n *node) {
			if n.calls < 12 || n.calls > 40 {
				t.Errorf("%d calls in a minute", n.calls)
			}
		})
		a.node.recover()
	})
}

// TestTakenForDead is a node that was paused for so long that the store left for
// it: it enters its members again, and its own clients notice nothing.
func TestTakenForDead(t *testing.T) {
	t.Parallel()
	for name, deaf := range map[string]bool{"is told": false, "is not told": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			twoNodes(t, grace, func(t *testing.T, a, b *site, wa, wb *watcher) {
				a.enter("r", "ann", "1", Change{}, nil)
				b.enter("r", "ben", "2", Change{}, nil)
				pass(time.Second)
				a.taken("r")
				b.taken("r")
				a.node.set(func(n *node) { n.deaf = deaf; n.slow = time.Second })
				a.node.expire()
				pass(500 * time.Millisecond)
				a.node.recover()
				pass(time.Minute)
				expect(t, "its own clients", a.taken("r"))
				expect(t, "others", b.taken("r")[0:1], "-ann (1)")
				expect(t, "here", wa.members(), "ann", "ben")
				expect(t, "there", wb.members(), "ann", "ben")
			})
		})
	}
}

func TestNodeDies(t *testing.T) {
	t.Parallel()
	twoNodes(t, grace, func(t *testing.T, a, b *site, _, wb *watcher) {
		a.enter("r", "ann", "1", Change{}, nil)
		a.enter("r", "ben", "2", Change{}, nil)
		b.enter("r", "ben", "3", Change{}, nil)
		pass(time.Second)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		expect(t, "there", wb.members(), "ben")
	})
}

// TestSlowStore has what happens while the store is slow told at once, in order,
// and what cancelled out not at all.
func TestSlowStore(t *testing.T) {
	t.Parallel()
	twoNodes(t, Options{}, func(t *testing.T, a, b *site, _, _ *watcher) {
		a.node.set(func(n *node) { n.slow, n.calls = time.Second, 0 })
		for i := range 50 {
			s := a.enter("r", fmt.Sprintf("u%02d", i), fmt.Sprint(i), Change{}, nil)
			if i%5 != 0 {
				s.Leave()
			}
			pass(10 * time.Millisecond)
		}
		pass(10 * time.Second)
		a.node.set(func(n *node) {
			if n.calls != 2 {
				t.Errorf("%d calls", n.calls)
			}
		})
		expect(t, "others", b.taken("r"), "+u00 (1)", "+u05 +u10 +u15 +u20 +u25 +u30 +u35 +u40 +u45 (10)")
	})
}

// TestUnchangedIsNotTold spares the store what it knows.
func TestUnchangedIsNotTold(t *testing.T) {
	t.Parallel()
	twoNodes(t, grace, func(t *testing.T, a, _ *site, _, _ *watcher) {
		one := a.enter("r", "ann", "1", Change{Status: "busy"}, nil)
		pass(time.Second)
		a.node.set(func(n *node) { n.calls = 0 })
		two := a.enter("r", "ann", "2", Change{Status: Away}, nil)
		if err := one.Update(Change{Status: "busy"}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		two.Leave()
		one.Lose()
		pass(time.Second)
		a.enter("r", "ann", "3", Change{Status: "busy"}, nil)
		pass(time.Minute)
		a.node.set(func(n *node) {
			if n.calls != 0 {
				t.Errorf("%d calls", n.calls)
			}
		})
	})
}

// TestMissedWhileReading reads the room once more, because the answer that is on
// its way may be older than what was missed.
func TestMissedWhileReading(t *testing.T) {
	t.Parallel()
	twoNodes(t, grace, func(t *testing.T, a, b *site, wa, _ *watcher) {
		a.node.set(func(n *node) { n.slow = time.Second })
		a.node.sink.Missed("r")
		pass(1500 * time.Millisecond) // the store has answered, the answer is on its way
		a.node.set(func(n *node) { n.deaf = true })
		b.enter("r", "ben", "2", Change{}, nil)
		pass(100 * time.Millisecond)
		a.node.recover()
		pass(time.Minute)
		expect(t, "members", wa.members(), "ben")
	})
}

// The store learns whose id a key is, and for how long an absent member is remembered: an anonymous one cannot return.
func TestOwnerInStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		s := newSite(t, c, Options{Grace: time.Second, Remember: time.Minute})
		s.enter("r", "ann", "1", Change{}, nil)
		s.enter("r", "", "2", Change{}, nil)
		pass(0)
		stored := func(key string, want Member) {
			t.Helper()
			c.mu.Lock()
			defer c.mu.Unlock()
			if m := c.rooms["r"][key].by[s.node].m; *m != want {
				t.Errorf("the store has %+v instead of %+v", *m, want)
			}
		}
		stored("ann", Member{Key: "ann", Owner: User, Grace: time.Second, Remember: time.Minute})
		stored("2", Member{Key: "2", Owner: Connection})
		s.enter("r", "2", "3", Change{}, nil)
		pass(0)
		stored("2", Member{Key: "2", Owner: Either, Grace: time.Second, Remember: time.Minute})
	})
}

// Only a user that is known to be one is no connection, and the other way round.
func TestOwnerMay(t *testing.T) {
	t.Parallel()
	never := map[[2]Owner]bool{{User, Connection}: true, {Connection, User}: true}
	for _, o := range []Owner{Either, User, Connection} {
		for _, wanted := range []Owner{Either, User, Connection} {
			if o.May(wanted) == never[[2]Owner{o, wanted}] {
				t.Errorf("%d may be %d: %t", o, wanted, o.May(wanted))
			}
		}
	}
}
