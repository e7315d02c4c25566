package hub

import (
	"testing"
	"testing/synctest"
)

// A small room is silent until the caller does its broadcast, which sends all that has come
// meanwhile in one write.
func TestBroadcastDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		subscribe(t, h, connect(t, h, &tryWire{wire: w}), "r", SubscribeOptions{})
		due := h.BroadcastDue("r", &Message{Channel: "r", Content: []byte("a")})
		if due.IsZero() {
			t.Fatal("nothing is due in a small room")
		}
		if again := h.BroadcastDue("r", &Message{Channel: "r", Content: []byte("b")}); !again.IsZero() {
			t.Fatal("the same room is due twice")
		}
		synctest.Wait()
		if w.count() != 0 {
			t.Error("another goroutine did the broadcast")
		}
		due.Run()
		if w.count() != 1 {
			t.Errorf("two messages were %d writes", w.count())
		}
		h.BroadcastDue("r", &Message{Channel: "r", Content: []byte("c")}).Start()
		expect(t, w, "r@0 a", "r@0 b", "r@0 c")
	})
}

// A large room, and a channel without connections, are no work for the caller.
func TestNothingDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		subscribe(t, h, connect(t, h, &tryWire{wire: w}), "r", SubscribeOptions{})
		for range inlineMembers {
			subscribe(t, h, connect(t, h, sinkWire{}), "r", SubscribeOptions{})
		}
		for _, channel := range []string{"r", "nobody"} {
			if due := h.BroadcastDue(channel, &Message{Channel: channel, Content: []byte("a")}); !due.IsZero() {
				t.Errorf("%s is due", channel)
			}
		}
		expect(t, w, "r@0 a")
	})
}
