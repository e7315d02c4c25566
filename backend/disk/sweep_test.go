package disk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// sweepAt removes what has expired at a time.
func sweepAt(t *testing.T, b *Broker, now time.Time) {
	t.Helper()
	s := &sweeping{b: b, now: now, more: true}
	for s.more {
		if err := b.store.do(t.Context(), s); err != nil || s.err != nil {
			t.Fatal(err, s.err)
		}
	}
}

func rooms(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.file.view(func(tx *bbolt.Tx) error { n = tx.Bucket(roomsBucket).Stats().KeyN; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// A room that was not used for a day, or for ten times the TTL of its messages, leaves the file with all its
// messages, if it is not in memory. Its pages come free, other rooms use them, and its next log has
// another epoch.
func TestSweepRemovesIdleRooms(t *testing.T) {
	t.Parallel()
	s, b := open(t, Options{Dir: t.TempDir(), sweep: time.Hour})
	const idle = sweepRooms + 100 // two steps
	short, long := hundred, hundred
	short.TTL, long.TTL = time.Minute, 48*time.Hour
	large := `"` + strings.Repeat("x", 2000) + `"`
	before := publish(t, b, "idle0", large, "", short).Position
	fill := func(prefix string) {
		written := make(chan error, idle)
		for i := range idle {
			go func() {
				_, err := b.Publish(t.Context(), message(fmt.Sprint(prefix, i), large), hub.PublishOptions{Retention: short})
				written <- err
			}()
		}
		for range idle {
			if err := <-written; err != nil {
				t.Error(err)
			}
		}
	}
	fill("idle")
	kept := publish(t, b, "kept", `"x"`, "", long).Position
	b.Memory().Resize(1)
	b.Memory().Resize(0)
	publish(t, b, "used", `"x"`, "", short)
	start := time.Now()

	sweepAt(t, b, start.Add(23*time.Hour))
	if n := rooms(t, s); n != idle+2 {
		t.Errorf("%d rooms after less than a day, there were %d", n, idle+2)
	}
	full := size(t, s)
	sweepAt(t, b, start.Add(25*time.Hour))
	if n := rooms(t, s); n != 2 {
		t.Errorf("%d rooms are left, want the one that is used and the one with a long TTL", n)
	}
	if messages, _ := entries(t, s); messages != 1 {
		t.Errorf("%d messages are left, want that with the long TTL", messages)
	}
	if _, free := s.file.sizes(); free < idle*2000 {
		t.Errorf("%d bytes of the file are free, the rooms had %d", free, idle*2000)
	}
	if p := page(t, b, "idle0", &before); !p.Lost || p.Top.Epoch == before.Epoch {
		t.Errorf("a room that was removed: %+v", p)
	}
	if p := page(t, b, "kept", &kept); p.Lost || p.Top != kept {
		t.Errorf("a room whose messages live for two days: %+v", p)
	}
	fill("next")
	if again := size(t, s); again > full {
		t.Errorf("the file has grown from %d to %d bytes for as many rooms", full, again)
	}
}
