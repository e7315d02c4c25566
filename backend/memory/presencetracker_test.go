package memory

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// newTracker returns a tracker on a store of its own, or on another node of the
// store of a tracker.
func newTracker(t testing.TB, beside *PresenceStore, announce func(string, presence.Frame)) (*presence.Tracker, *PresenceStore) {
	var store *PresenceStore
	tracker, err := presence.New(func(sink presence.Sink) (presence.Store, error) {
		if beside != nil {
			store = beside.Join(sink)
		} else {
			store = NewPresenceStore(sink)
		}
		return store, nil
	}, announce)
	if err != nil {
		t.Fatal(err)
	}
	tracker.Apply(presence.Settings{Room: func(string) presence.Options {
		return presence.Options{Grace: time.Second, Remember: time.Minute}
	}})
	t.Cleanup(func() {
		if err := tracker.Close(); err != nil {
			t.Error(err)
		}
	})
	return tracker, store
}

func ignore(string, presence.Frame) {}

func enterAs(t testing.TB, tr *presence.Tracker, channel, user string, deliver func(*presence.Snapshot)) *presence.Stay {
	t.Helper()
	stay, err := tr.Enter(channel, presence.Who{Connection: "c-" + user, User: user}, presence.Change{}, deliver)
	if err != nil {
		t.Fatal(err)
	}
	return stay
}

// TestTrackerOnStore follows a member through two nodes, from the first connection
// until it is forgotten.
func TestTrackerOnStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var diffs []string
		record := func(_ string, f presence.Frame) {
			mu.Lock()
			defer mu.Unlock()
			if d, ok := f.(*presence.Diff); ok {
				diffs = append(diffs, fmt.Sprintf("+%d ~%d -%d (%d)", len(d.Entered), len(d.Updated), len(d.Left), d.Count))
			}
		}
		one, store := newTracker(t, nil, ignore)
		two, _ := newTracker(t, store, record)
		if _, err := two.Watch("r", nil); err != nil {
			t.Fatal(err)
		}
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		pass(0)
		here, there := enterAs(t, one, "r", "ann", nil), enterAs(t, two, "r", "ann", nil)
		pass(time.Second)
		if err := here.Update(presence.Change{Status: "busy"}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		here.Lose()
		there.Lose()
		pass(2 * time.Second)
		mu.Lock()
		if want := []string{"+1 ~0 -0 (1)", "+0 ~1 -0 (1)", "+0 ~0 -1 (0)"}; !slices.Equal(diffs, want) {
			t.Errorf("announced %q, want %q", diffs, want)
		}
		mu.Unlock()
		page, err := two.Members(context.Background(), "r", presence.Query{Limit: 5, Offline: true})
		if err != nil || page.Count != 0 || len(page.Members) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		if ago := time.Since(page.Members[0].LastSeen); ago != 2*time.Second {
			t.Errorf("last seen %v ago, which is not when the connection ended", ago)
		}
		pass(time.Minute)
		page, err = two.Members(context.Background(), "r", presence.Query{Limit: 5, Offline: true})
		if err != nil || len(page.Members) != 0 {
			t.Errorf("not forgotten: %+v, %v", page, err)
		}
	})
}

const crowd = 10_000

// await waits until the store has as many members as it should.
func await(t testing.TB, tr *presence.Tracker, channel string, want int) {
	t.Helper()
	for {
		page, err := tr.Members(context.Background(), channel, presence.Query{})
		if err != nil {
			t.Fatal(err)
		}
		if page.Count == want {
			return
		}
		runtime.Gosched()
	}
}

// BenchmarkTrackerEnterLeave is what it costs that a member enters a room of
// 10,000 and another one leaves, the store, the diffs and the newcomer's snapshot
// included.
func BenchmarkTrackerEnterLeave(b *testing.B) {
	for _, snapshots := range []bool{false, true} {
		b.Run(fmt.Sprintf("members=%d,snapshots=%t", crowd, snapshots), func(b *testing.B) {
			tr, _ := newTracker(b, nil, ignore)
			var deliver func(*presence.Snapshot)
			if snapshots {
				deliver = func(*presence.Snapshot) {}
			}
			var stays [crowd]*presence.Stay
			for i := range stays {
				stays[i] = enterAs(b, tr, "r", fmt.Sprintf("user-%08d", i), nil)
			}
			await(b, tr, "r", crowd)
			next := crowd
			b.ReportAllocs()
			for b.Loop() {
				stays[next%crowd].Leave()
				stays[next%crowd] = enterAs(b, tr, "r", fmt.Sprintf("user-%08d", next), deliver)
				next++
			}
			await(b, tr, "r", crowd)
		})
	}
}

// BenchmarkTrackerMemory is what a member costs, in one large room and in many
// small ones.
func BenchmarkTrackerMemory(b *testing.B) {
	for _, perRoom := range []int{crowd, 5} {
		b.Run(fmt.Sprintf("members=%d,rooms=%d", crowd, crowd/perRoom), func(b *testing.B) {
			for b.Loop() {
				before := heapInUse()
				tr, _ := newTracker(b, nil, ignore)
				for i := range crowd {
					enterAs(b, tr, fmt.Sprint("r", i/perRoom), fmt.Sprintf("user-%08d", i), nil)
				}
				for r := range crowd / perRoom {
					await(b, tr, fmt.Sprint("r", r), perRoom)
				}
				settleWindows(b, tr, crowd/perRoom, perRoom)
				b.ReportMetric(float64(heapInUse()-before)/crowd, "B/member")
				runtime.KeepAlive(tr)
			}
		})
	}
}

// settleWindows waits until everything is announced.
func settleWindows(b *testing.B, tr *presence.Tracker, rooms, members int) {
	for r := range rooms {
		again := time.NewTicker(10 * time.Millisecond)
		for {
			got := make(chan int, 1)
			w, err := tr.Watch(fmt.Sprint("r", r), func(s *presence.Snapshot) { got <- s.Count })
			if err != nil {
				b.Fatal(err)
			}
			n := <-got
			w.Leave()
			if n == members {
				break
			}
			<-again.C
		}
		again.Stop()
	}
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
