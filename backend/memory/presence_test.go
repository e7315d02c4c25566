package memory

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/backendtest"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

func TestPresenceContract(t *testing.T) {
	t.Parallel()
	backendtest.RunPresence(t, func(t *testing.T) func(presence.Sink) presence.Store {
		first := NewPresenceStore(deaf{})
		t.Cleanup(func() { first.Close() })
		return func(sink presence.Sink) presence.Store { return first.Join(sink) }
	})
}

// deaf is a sink for tests that look at what is kept.
type deaf struct{}

func (deaf) Changed(string, ...presence.Event) {}
func (deaf) Missed(string)                     {}

func enterRoom(t testing.TB, s *PresenceStore, channel string, ms ...*presence.Member) {
	t.Helper()
	if err := s.Enter(context.Background(), channel, ms); err != nil {
		t.Fatal(err)
	}
}

func leaveRoom(t testing.TB, s *PresenceStore, channel string, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := s.Leave(context.Background(), channel, []presence.Departure{{Key: key}}); err != nil {
			t.Fatal(err)
		}
	}
}

// remembered lists who is offline in a room.
func remembered(t testing.TB, s *PresenceStore, channel string) (keys []string) {
	t.Helper()
	page, err := s.List(context.Background(), channel, presence.Query{Limit: 20_000, Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Members {
		if !m.LastSeen.IsZero() {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// TestPresenceIsForgotten has rooms end with what they hold, and members be
// forgotten each in its time.
func TestPresenceIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewPresenceStore(deaf{})
		defer s.Close()
		for i := range 5 {
			m := &presence.Member{Key: fmt.Sprint(i), Remember: time.Duration(9-i) * time.Minute}
			enterRoom(t, s, "r", m)
			leaveRoom(t, s, "r", m.Key)
		}
		enterRoom(t, s, "r", &presence.Member{Key: "4"}) // back, and not to be remembered again
		leaveRoom(t, s, "r", "4")
		for minute, want := range []int{4, 4, 4, 4, 4, 4, 3, 2, 1, 0} {
			if got := remembered(t, s, "r"); len(got) != want {
				t.Errorf("after %d minutes: %v", minute, got)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if n := len(s.table.rooms.by); n != 0 {
			t.Errorf("%d rooms left", n)
		}
	})
}

// TestPresenceMemoryIsBounded forgets early who would be forgotten first.
func TestPresenceMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := NewPresenceStore(deaf{})
	defer s.Close()
	for i := range maxRemembered + 10 {
		m := &presence.Member{Key: fmt.Sprintf("%05d", i), Remember: time.Hour + time.Duration(i)*time.Second}
		enterRoom(t, s, "r", m)
		leaveRoom(t, s, "r", m.Key)
	}
	if got := remembered(t, s, "r"); len(got) != maxRemembered || got[0] != "00010" {
		t.Errorf("%d remembered, from %s on", len(got), got[0])
	}
}

// TestPresenceEnds has nothing left when all nodes are closed.
func TestPresenceEnds(t *testing.T) {
	t.Parallel()
	one := NewPresenceStore(deaf{})
	two := one.Join(deaf{})
	for _, s := range []*PresenceStore{one, two} {
		if err := s.Attach(context.Background(), "attached"); err != nil {
			t.Fatal(err)
		}
		enterRoom(t, s, "both", &presence.Member{Key: "u", Remember: time.Hour})
	}
	enterRoom(t, one, "one", &presence.Member{Key: "u", Remember: time.Hour})
	one.Close()
	if got := remembered(t, two, "one"); len(got) != 1 {
		t.Errorf("remembered %v while a node is left", got)
	}
	if n := len(two.table.rooms.by); n != 3 {
		t.Errorf("%d rooms with one node", n)
	}
	two.Close()
	if n := len(two.table.rooms.by); n != 0 {
		t.Errorf("%d rooms without nodes", n)
	}
}

func BenchmarkPresenceEnterLeave(b *testing.B) {
	for _, members := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			s := NewPresenceStore(deaf{})
			defer s.Close()
			for i := range members {
				enterRoom(b, s, "r", &presence.Member{Key: fmt.Sprintf("user-%06d", i)})
			}
			m := &presence.Member{Key: "user-005000x"}
			b.ReportAllocs()
			for b.Loop() {
				enterRoom(b, s, "r", m)
				leaveRoom(b, s, "r", m.Key)
			}
		})
	}
}
