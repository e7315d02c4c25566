package presence

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// moody is a site whose options panic at certain calls.
type moody struct {
	*site
	log *panictest.Log
	// in is the number of the call that panics first, and times how many calls panic. The
	// test sets them while no worker runs.
	in, times int
}

func newMoody(t *testing.T, o Options) *moody {
	m := &moody{site: newSite(t, newCluster(), o), log: new(panictest.Log)}
	m.Apply(Settings{Logger: m.log.Logger(), Room: func(string) Options {
		if m.in--; m.in <= 0 && m.times > 0 {
			m.times--
			panic("options")
		}
		return o
	}})
	return m
}

func (m *moody) panicIn(calls, times int) { m.in, m.times = calls, times }

// try calls f and reports whether it panicked.
func try(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

// A connection that could not enter because of a panic is not in the room.
func TestPanicOfEnter(t *testing.T) {
	for calls := 1; calls <= 2; calls++ {
		synctest.Test(t, func(t *testing.T) {
			m := newMoody(t, Options{})
			w := m.watch("r")
			pass(time.Second)
			m.panicIn(calls, 1)
			deliver := func(*Snapshot) {}
			if !try(func() { _, _ = m.Enter("r", Who{Connection: "1", User: "ann"}, Change{}, deliver) }) {
				t.Fatal("no panic")
			}
			pass(time.Minute)
			expect(t, "members", w.members())
			page, err := m.Members(t.Context(), "r", Query{Limit: 10})
			if err != nil || page.Count != 0 {
				t.Errorf("%+v, %v", page, err)
			}
			w.leave("r")
			pass(time.Minute)
			if m.room("r") != nil {
				t.Error("the room is kept")
			}
		})
	}
}

// A connection that could not watch because of a panic does not keep the room.
func TestPanicOfWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMoody(t, Options{})
		stay := m.enter("r", "ann", "1", Change{}, nil)
		pass(time.Second)
		m.panicIn(1, 1)
		if !try(func() { _, _ = m.Watch("r", func(*Snapshot) {}) }) {
			t.Fatal("no panic")
		}
		stay.Leave()
		pass(time.Minute)
		if m.room("r") != nil {
			t.Error("the room is kept")
		}
	})
}

// A member whose last connection is over leaves although its grace can not be found out.
func TestPanicOfLose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMoody(t, Options{Grace: time.Minute})
		w := m.watch("r")
		stay := m.enter("r", "ann", "1", Change{}, nil)
		pass(time.Second)
		m.panicIn(1, 1)
		try(stay.Lose)
		pass(time.Second)
		expect(t, "members", w.members())
		page, err := m.Members(t.Context(), "r", Query{Limit: 10})
		if err != nil || page.Count != 0 {
			t.Errorf("%+v, %v", page, err)
		}
		m.log.Once(t, "the grace of a member", "options")
	})
}

// A client that waits for the first snapshot of a room gets it although it could not be made
// at once. However often that panics, the room goes on.
func TestPanicOfTheFirstSnapshot(t *testing.T) {
	for _, times := range []int{1, 2, 3, 10} {
		synctest.Test(t, func(t *testing.T) {
			m := newMoody(t, Options{})
			var got notes
			m.panicIn(2, times) // the first call is for the member
			m.enter("r", "ann", "1", Change{}, got.add)
			pass(time.Minute)
			if m.times > 0 {
				t.Fatalf("%d panics are left", m.times)
			}
			if all := got.all(); len(all) != 1 || !strings.HasPrefix(all[0], "=ann (1)") {
				t.Errorf("snapshots: %q", all)
			}
			page, err := m.Members(t.Context(), "r", Query{Limit: 10})
			if err != nil || page.Count != 1 || page.Partial {
				t.Errorf("%+v, %v", page, err)
			}
		})
	}
}
