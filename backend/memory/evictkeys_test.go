package memory

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// However many keys come in rooms without history, no room loses a message for them.
func TestKeysDoNotPushOutHistory(t *testing.T) {
	t.Parallel()
	const bound = 2048 * kib
	flood := map[string]func(*Broker, int) string{
		"in 200 rooms with members": func(b *Broker, i int) string {
			if i < 200 {
				attach(t, b, name(i), hub.Retention{})
			}
			return name(i % 200)
		},
		"in a new room each": func(_ *Broker, i int) string { return fmt.Sprint("new:", i) },
		"in one room":        func(_ *Broker, _ int) string { return "one" },
	}
	for what, room := range flood {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := start(t, Options{HistoryBytes: bound})
			for i := range 700 {
				publish(t, b, fmt.Sprint("kept:", i%10), 2*kib, hub.PublishOptions{Retention: hundred})
			}
			for i := range 40_000 {
				publish(t, b, room(b, i), 1, hub.PublishOptions{Key: fmt.Sprintf("%064d", i)})
				if s := b.Stats(); s.Keys > bound/8 || s.Bytes > bound {
					t.Fatalf("%+v after %d keys", s, i)
				}
			}
			for i := range 10 {
				p := page(t, b, fmt.Sprint("kept:", i), hundred, hub.HistoryQuery{Limit: 100})
				if len(p.Messages) != 70 || p.Top.Offset != 70 {
					t.Errorf("%d messages up to %+v are left of 70", len(p.Messages), p.Top)
				}
			}
			if s := b.Stats(); s.Evicted != 0 || s.Reduced != 0 || s.Keys < bound/16 {
				t.Errorf("%+v", s)
			}
			for i := 39_990; i < 40_000; i++ {
				if p := publish(t, b, room(b, i), 1, hub.PublishOptions{Key: fmt.Sprintf("%064d", i)}); !p.Duplicate {
					t.Errorf("key %d, one of the latest, is forgotten", i)
				}
			}
			audit(t, b)
		})
	}
}

// A room that is flooded loses its own keys and not those of others.
func TestFloodedRoomPaysWithItsKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{HistoryBytes: 1024 * kib})
		for i := range 20 {
			publish(t, b, name(i), 1, hub.PublishOptions{Key: "key"})
		}
		for i := range 20_000 {
			time.Sleep(time.Millisecond)
			publish(t, b, "flood", 1, hub.PublishOptions{Key: fmt.Sprint(i)})
		}
		for i := range 20 {
			if p := publish(t, b, name(i), 1, hub.PublishOptions{Key: "key"}); !p.Duplicate {
				t.Errorf("the key of quiet room %d is forgotten", i)
			}
		}
		for i := 20_000 - 200; i < 20_000; i++ {
			if p := publish(t, b, "flood", 1, hub.PublishOptions{Key: fmt.Sprint(i)}); !p.Duplicate {
				t.Errorf("key %d, one of the latest, is forgotten", i)
			}
		}
		audit(t, b)
	})
}
