package presence

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A room tells the store first and reads last, unless a client waits or telling takes too long.
func TestNextStep(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	some := []*local{new(local)}
	for _, test := range []struct {
		name  string
		r     *room
		alone bool
		want  step
	}{
		{"nobody", &room{}, true, stepDrop},
		{"nobody, attached", &room{link: link{attached: true}}, true, stepDetach},
		{"nobody, attached, after a failure", &room{link: link{attached: true, retryAt: later}}, true, stepDetach},
		{"dead", &room{dead: true}, true, stepNone},
		{"new", &room{}, false, stepAttach},
		{"new, after a failure", &room{link: link{retryAt: later}}, false, stepNone},
		{"to be told", &room{link: link{attached: true, dirty: some}}, false, stepTell},
		{"to be told, while clients see the room", &room{shown: true, link: link{attached: true, dirty: some, tells: maxTells - 1}}, false, stepTell},
		{"to be told, for too long", &room{shown: true, link: link{attached: true, dirty: some, tells: maxTells}}, false, stepRead},
		{"to be told once more, while a client waits", &room{link: link{attached: true, dirty: some, tells: 1}}, false, stepRead},
		{"to be told, and nothing to read", &room{link: link{attached: true, current: true, dirty: some, tells: maxTells}}, false, stepTell},
		{"told", &room{link: link{attached: true}}, false, stepRead},
		{"told and read", &room{link: link{attached: true, current: true}}, false, stepNone},
	} {
		r := test.r
		if !test.alone {
			r.watchers = 1
		}
		if got := r.nextStep(); got != test.want {
			t.Errorf("%s: step %d, want %d", test.name, got, test.want)
		}
	}
}

// A room waits between half of the time and the whole time of its failures. The end of a stay in the store
// changes that only if it fails.
func TestWaitAfterFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, newCluster(), Options{})
		now, away := time.Now(), errors.New("away")
		for range 100 {
			r := &room{tracker: s.Tracker, channel: "r", link: link{failures: 2}}
			r.storeFailed(nil)
			if r.link.failures != 2 || !r.link.retryAt.IsZero() {
				t.Fatalf("after a success: %+v", r.link)
			}
			r.storeFailed(away)
			if wait := r.link.retryAt.Sub(now); r.link.failures != 3 || wait < 200*time.Millisecond || wait >= 400*time.Millisecond {
				t.Fatalf("the wait after %d failures is %v", r.link.failures, wait)
			}
			r.storeResult(nil)
			if r.link.failures != 0 {
				t.Fatalf("%d failures after a success", r.link.failures)
			}
		}
	})
}

// A store that fails all the time is logged every ten seconds.
func TestFailuresAreLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newSite(t, newCluster(), Options{})
		s.Apply(Settings{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for second, want := range []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2} {
			s.logFailure(nil)
			s.logFailure(errors.New("away"))
			if n := strings.Count(log.String(), "presence store fails"); n != want || strings.Count(log.String(), "error=away") != want {
				t.Errorf("%d lines after %d seconds, want %d:\n%s", n, second, want, &log)
			}
			time.Sleep(time.Second)
		}
	})
}

// No more goroutines than workers call the store, and after the end none.
func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, newCluster(), Options{})
		p := &pool{life: new(life), log: s.pool.log}
		hold := make(chan struct{})
		var running atomic.Int64
		for range 3 * workers {
			p.add(func() {
				running.Add(1)
				<-hold
			})
		}
		synctest.Wait()
		if n := running.Load(); n != workers {
			t.Errorf("%d tasks run at once", n)
		}
		close(hold)
		p.life.wg.Wait()
		if n := running.Load(); n != 3*workers || p.running != 0 {
			t.Errorf("%d tasks ran, %d are left", n, p.running)
		}
		p.life.finish()
		p.add(func() { t.Error("a task ran after the end") })
		if len(p.queue) != 0 {
			t.Errorf("%d tasks are kept after the end", len(p.queue))
		}
	})
}

// As many changes as a frame may name are announced one by one; more are announced as the whole room.
func TestAnnounceAtMost(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{2: "+0 +1 (2)", 3: "=0 =1 (3) more"} {
		inRoom(t, Options{Snapshot: 2}, func(t *testing.T, s *site, _ *watcher) {
			for i := range n {
				id := string(rune('0' + i))
				s.enter("r", id, id, Change{}, nil)
			}
			pass(time.Second)
			expect(t, "announced", s.taken("r"), want)
		})
	}
}

// Of two statuses of the same rank the one that was set last counts, whichever connection came first.
func TestLastStatusCounts(t *testing.T) {
	t.Parallel()
	stay := func(status, info string, at uint64) *Stay {
		return &Stay{said: said{status: remark{status, at}, client: remark{info, at}}}
	}
	early, late := stay("busy", `{"n":1}`, 1), stay("gone", `{"n":2}`, 2)
	for _, stays := range [][]*Stay{{early, late}, {late, early}, {early, stay("", "", 3), late}, {late, stay("away", "", 3), early}} {
		if status, info := combine(stays); status != "gone" || info != `{"n":2}` {
			t.Errorf("%q, %s", status, info)
		}
	}
}

func TestLongestInfo(t *testing.T) {
	t.Parallel()
	const text = `{"a":1}`
	for limit, want := range map[int]error{0: nil, len(text): nil, len(text) - 1: ErrInfo} {
		if _, err := parseInfo([]byte(text), limit); !errors.Is(err, want) {
			t.Errorf("a limit of %d bytes: %v", limit, err)
		}
	}
}

// While the store fails, a member that nobody else has shown is this node's own finding.
func TestShowLocal(t *testing.T) {
	t.Parallel()
	r := new(room)
	member := func(key string, stays ...*Stay) *local {
		return &local{key: key, shown: &Member{Key: key}, stays: stays}
	}
	unknown, known, gone := member("ann", new(Stay)), member("bob", new(Stay)), member("cleo")
	r.view.put(known.shown)
	r.view.put(gone.shown)
	for _, l := range []*local{unknown, known, gone} {
		r.showLocal(l)
		if shown := r.view.get(l.key) != nil; shown != l.present() {
			t.Errorf("%s is shown: %t", l.key, shown)
		}
	}
	if !unknown.unconfirmed || known.unconfirmed || gone.unconfirmed {
		t.Errorf("unconfirmed: %t, %t, %t", unknown.unconfirmed, known.unconfirmed, gone.unconfirmed)
	}
}
