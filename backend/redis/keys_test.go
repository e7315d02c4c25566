package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// publishWithKey publishes with a key and reports whether the key was seen before.
func (n *node) publishWithKey(t *testing.T, channel, key string, keep hub.Retention) (seen bool) {
	t.Helper()
	p, err := n.Publish(t.Context(), &hub.Message{Channel: channel, Content: []byte("1")}, hub.PublishOptions{Retention: keep, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return p.Duplicate
}

// remembered counts the idempotency keys in Redis, and the Redis keys that store them.
func (s *server) remembered() (keys, of int) {
	for _, name := range s.do("keys", "rt:i:*").([]any) {
		of++
		keys += int(s.do("hlen", name).(int64)) - 1
	}
	for range s.do("keys", "rt:keys*").([]any) {
		of++
	}
	return keys, of
}

func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	const ofRoom, ofAll = 20, 200
	for what, room := range map[string]func(i int) string{
		"in one room":           func(int) string { return "one" },
		"in 50 rooms":           func(i int) string { return fmt.Sprint("some:", i%50) },
		"in a new room each":    func(i int) string { return fmt.Sprint("new:", i) },
		"in new rooms and some": func(i int) string { return []string{"one", fmt.Sprint("new:", i)}[i%2] },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			o := patientOptions(s.Addr)
			o.RoomKeys, o.Keys = ofRoom, ofAll
			n := newNode(t, checker.New(checker.Options{}), "node", o)
			n.publishWithKey(t, "kept", "key", kept)
			most, mostOf := 0, 0
			for i := range 1500 {
				if key := fmt.Sprint(i); n.publishWithKey(t, room(i), key, hub.Retention{}) || !n.publishWithKey(t, room(i), key, hub.Retention{}) {
					t.Fatalf("key %d is taken for another, or forgotten at once", i)
				}
				if i%50 == 0 {
					keys, of := s.remembered()
					most, mostOf = max(most, keys), max(mostOf, of)
				}
			}
			if most > ofAll+ofAll/8 || mostOf > ofAll+ofAll/8+7 || most < min(ofRoom, ofAll)/2 {
				t.Errorf("%d keys are remembered in %d of Redis", most, mostOf)
			}
			for i := 1499; i > 1499-ofRoom/2; i-- {
				if !n.publishWithKey(t, room(i), fmt.Sprint(i), hub.Retention{}) {
					t.Errorf("key %d, one of the latest, is forgotten", i)
				}
			}
			if page := n.page(t, "kept", nil); len(page.Messages) != 1 {
				t.Errorf("the history of another room has %d messages", len(page.Messages))
			}
			if what == "in one room" && !n.publishWithKey(t, "kept", "key", kept) {
				t.Error("the key of a quiet room is forgotten")
			}
		})
	}
}

func TestKeysExpireInRedis(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := patientOptions(s.Addr)
	o.KeyWindow = 300 * time.Millisecond
	n := newNode(t, checker.New(checker.Options{}), "node", o)
	n.publishWithKey(t, "room", "old", hub.Retention{})
	for begun := time.Now(); time.Since(begun) < o.KeyWindow; time.Sleep(10 * time.Millisecond) {
		n.publishWithKey(t, "room", "busy"+time.Now().String(), hub.Retention{})
	}
	if n.publishWithKey(t, "room", "old", hub.Retention{}) {
		t.Error("a key is remembered for longer than its time")
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		left := fmt.Sprint(s.do("keys", "*"))
		if !strings.Contains(left, "rt:i:") && !strings.Contains(left, "rt:keys") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("this is left of the keys: %s", left)
		}
	}
}
