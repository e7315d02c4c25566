package presence

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestCrowd lets 10,000 members enter within a second.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const crowd = 10_000
	inRoom(t, Options{Grace: 5 * time.Second}, func(t *testing.T, s *site, w *watcher) {
		s.keep = false
		var stays []*Stay
		snapshots, bytes := 0, 0
		began := time.Now()
		for i := range crowd {
			user := fmt.Sprintf("user-%06d", i*7919%crowd)
			stays = append(stays, s.enter("r", user, fmt.Sprint(i), Change{}, func(p *Snapshot) {
				snapshots++
				bytes += len(wire(p))
				if len(p.Members) > DefaultSnapshot {
					t.Errorf("%d names in a snapshot", len(p.Members))
				}
			}))
			pass(time.Second / crowd)
		}
		pass(5 * time.Second)
		report(t, w, "entering", time.Since(began))
		t.Logf("%d snapshots for the newcomers, %d bytes each on average", snapshots, bytes/crowd)
		if len(w.log) > 8 || w.bytes > 16<<10 {
			t.Errorf("%d frames, %d bytes", len(w.log), w.bytes)
		}
		wantCrowd(t, s, w, crowd)

		w.reset()
		began = time.Now()
		for _, stay := range stays {
			stay.Lose() // all at once, as when a network fails
		}
		pass(10 * time.Second)
		report(t, w, "leaving", time.Since(began))
		wantCrowd(t, s, w, 0)
	})
}

func report(t *testing.T, w *watcher, what string, took time.Duration) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("%s: one watcher was sent %d frames, %d bytes in %v, at most %d names in a frame",
		what, w.frames, w.bytes, took.Round(time.Millisecond), w.names)
}

func (w *watcher) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames, w.bytes, w.names = 0, 0, 0
}

// wantCrowd pages through the room as a client does that needs everybody.
func wantCrowd(t *testing.T, s *site, w *watcher, crowd int) {
	t.Helper()
	for w.incomplete() {
		w.page()
		pass(0)
	}
	if n := len(w.members()); n != crowd {
		t.Errorf("the watcher has %d members, want %d", n, crowd)
	}
	if s.node.cluster.rooms["r"] == nil || len(s.node.cluster.rooms["r"]) != crowd {
		t.Errorf("the store has %d members, want %d", len(s.node.cluster.rooms["r"]), crowd)
	}
}

// TestPagingWhileChurning reads all pages of a room that changes: who was there
// all the time is on exactly one, and each page fits the diffs around it.
func TestPagingWhileChurning(t *testing.T) {
	t.Parallel()
	const crowd, limit = 2_000, 50
	inRoom(t, Options{Snapshot: limit}, func(t *testing.T, s *site, w *watcher) {
		s.keep = false
		rnd := rand.New(rand.NewPCG(3, 4))
		stays := make(map[int]*Stay)
		toggle := func(i int) {
			if stay := stays[i]; stay != nil {
				stay.Leave()
				delete(stays, i)
			} else {
				stays[i] = s.enter("r", fmt.Sprintf("u%05d", i), fmt.Sprint(i), Change{}, nil)
			}
		}
		for i := range crowd {
			toggle(i)
		}
		pass(time.Second)

		var pages []string
		after := ""
		for more := true; more; {
			w.stay.Snapshot(after, func(p *Snapshot) {
				pages = append(pages, keysOf(p.Members)...)
				after, more = p.Next, p.Next != ""
			})
			if w.incomplete() {
				w.page()
			}
			for range rnd.IntN(limit / 4) { // those with odd numbers come and go
				toggle(rnd.IntN(crowd/2)*2 + 1)
			}
			pass(time.Duration(rnd.Int64N(int64(150 * time.Millisecond))))
		}
		if !slices.IsSorted(pages) || len(slices.Compact(slices.Clone(pages))) != len(pages) {
			t.Error("somebody is on two pages")
		}
		for i := 0; i < crowd; i += 2 {
			if _, ok := slices.BinarySearch(pages, fmt.Sprintf("u%05d", i)); !ok {
				t.Errorf("%d was there all the time and is on no page", i)
			}
		}

		pass(time.Second)
		if w.incomplete() {
			t.Error("the watcher did not come to the end of the pages")
		}
		var want []string
		for _, i := range slices.Sorted(maps.Keys(stays)) {
			want = append(want, fmt.Sprintf("u%05d", i))
		}
		expect(t, "the watcher in the end", w.members(), want...)
	})
}
