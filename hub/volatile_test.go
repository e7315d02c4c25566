package hub

import (
	"context"
	"testing"
	"testing/synctest"
)

func volatile(t *testing.T, h *Hub, channel, content string) {
	t.Helper()
	p, err := h.Publish(context.Background(), &Message{Channel: channel, Content: []byte(content), Volatile: true}, "")
	if err != nil || p != (Published{}) {
		t.Fatalf("published %+v, %v", p, err)
	}
}

// A volatile message reaches everybody in its place among the others, and changes nothing of
// where a subscription started.
func TestVolatile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		publish(t, h, "h", "a", "b")
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{Reply: func(Subscribed) []Event {
			volatile(t, h, "h", "moved")
			h.Broadcast("h", b.log["h"]...) // from before the start
			return []Event{"subscribed"}
		}})
		publish(t, h, "h", "c")
		volatile(t, h, "h", "moved again")
		expect(t, w, "subscribed", "h@0 moved", "h@3 c", "h@0 moved again")
		if n := len(b.log["h"]); n != 3 {
			t.Errorf("the log has %d messages", n)
		}
	})
}

// A client that reads slowly misses volatile messages, without a gap and without an end of its
// connection. The room's own messages keep what its policy says.
func TestVolatileToSlowClient(t *testing.T) {
	for _, channel := range []string{"dh", "oh", "lh"} {
		synctest.Test(t, func(t *testing.T) {
			h := slowHub(t)
			_, w := stuckConn(t, h, channel)
			for range 20 {
				volatile(t, h, channel, "x")
			}
			w.stick(false)
			synctest.Wait()
			publish(t, h, channel, "a")
			x := channel + "@0 x"
			expect(t, w, "stuck", x, x, x, x, channel+"@1 a")
		})
	}
}

// In a room without history every message is like that, and the room's policy holds.
func TestVolatileWithoutHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHub(t)
		_, w := stuckConn(t, h, "l")
		volatile(t, h, "l", "old")
		volatile(t, h, "l", "new")
		w.stick(false)
		expect(t, w, "stuck", "l@0 new")
	})
}
