package memory

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// bounded makes a store that remembers less.
func bounded(t testing.TB, most int, bytes int64) *PresenceStore {
	s := NewPresenceStore(deaf{})
	s.table.gone.most, s.table.gone.mostBytes = most, bytes
	t.Cleanup(func() { s.Close() })
	return s
}

// stay has a member enter and leave at once.
func stay(t testing.TB, s *PresenceStore, channel, key, info string) {
	enterRoom(t, s, channel, &presence.Member{Key: key, Info: info, Remember: 5 * time.Minute})
	leaveRoom(t, s, channel, key)
}

// auditGone compares the ledger with what the rooms remember.
func auditGone(t testing.TB, s *PresenceStore, count int) {
	t.Helper()
	var kept int
	var bytes int64
	l := &s.table.gone
	s.table.rooms.each(func(r *presenceRoom) {
		kept += r.gone.len()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, g := range r.gone.times {
			bytes += g.entry.bytes
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if kept != count || l.count != count || l.bytes != bytes {
		t.Errorf("the rooms remember %d in %d bytes, and the ledger %d in %d, want %d", kept, bytes, l.count, l.bytes, count)
	}
}

// However many rooms somebody goes through, all of them together remember a bounded
// number, those who left last.
func TestPresenceMemoryOfAllRoomsIsBounded(t *testing.T) {
	t.Parallel()
	const info = `{"name":"somebody"}`
	cost := presenceCost(&presence.Member{Key: name(0), Info: info})
	for what, s := range map[string]*PresenceStore{
		"by number": bounded(t, 50, 1<<40),
		"by bytes":  bounded(t, 1<<40, 50*cost),
	} {
		for i := range 500 {
			stay(t, s, fmt.Sprint("room:", i%300), name(i), info)
		}
		auditGone(t, s, 50)
		for i := range 300 {
			// The first 200 rooms had two stays each.
			last := i
			if i < 200 {
				last += 300
			}
			got, want := remembered(t, s, fmt.Sprint("room:", i)), last >= 450
			if want != (len(got) == 1 && got[0] == name(last)) || !want && len(got) > 0 {
				t.Errorf("%s: room %d remembers %v", what, i, got)
			}
		}
	}
}

// What was forgotten or came back does not count any more.
func TestPresenceLedgerForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := bounded(t, 50, 1<<40)
		for i := range 40 {
			stay(t, s, fmt.Sprint("room:", i%4), name(i), "")
		}
		for i := range 10 {
			enterRoom(t, s, fmt.Sprint("room:", i%4), &presence.Member{Key: name(i), Remember: time.Minute})
		}
		auditGone(t, s, 30)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		auditGone(t, s, 0)
		l := &s.table.gone
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.oldest != nil || l.newest != nil {
			t.Error("somebody is left in the ledger")
		}
	})
}

func TestPresenceLedgerConcurrently(t *testing.T) {
	t.Parallel()
	s := bounded(t, 20, 1<<40)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 500 {
				stay(t, s, fmt.Sprint("room:", k%7), fmt.Sprint(i, "-", k%50), "")
			}
		})
	}
	wg.Wait()
	auditGone(t, s, 20)
}

// The estimate is not far below what a member takes who is remembered alone in a room.
func TestPresenceCost(t *testing.T) {
	s := bounded(t, 1<<40, 1<<40)
	const n = 20_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		stay(t, s, name(i), name(i), "")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n
	t.Logf("%d bytes for each", each)
	if estimate := s.table.gone.bytes / n; each > estimate {
		t.Errorf("a remembered member takes %d bytes, estimated are %d", each, estimate)
	}
}
