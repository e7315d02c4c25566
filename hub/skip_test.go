package hub

import (
	"testing"
	"testing/synctest"
)

func TestSkip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		publish(t, h, "h", "a")
		synctest.Wait()
		h.Skip("h", Position{Epoch: "new", Offset: 7})
		h.Skip("nobody", Position{Epoch: "new", Offset: 7})
		h.Broadcast("h", &Message{Channel: "h", Content: []byte("b"), Position: Position{Epoch: "new", Offset: 8}})
		expect(t, w, "h@1 a", "gap h@7", "h@8 b")
	})
}

func TestSkipBeforeTheFirstMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		h.Skip("h", Position{Epoch: "new", Offset: 7})
		h.Broadcast("h", &Message{Channel: "h", Content: []byte("b"), Position: Position{Epoch: "new", Offset: 8}})
		expect(t, w, "gap h@7", "h@8 b")
	})
}

// Who began behind a hole misses nothing of it, and must not get again what lies
// between.
func TestSkipBehindPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		publish(t, h, "h", "a", "b", "c")
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{Reply: func(Subscribed) []Event {
			h.Skip("h", Position{Epoch: "e", Offset: 1})
			h.Broadcast("h", b.log["h"][1:]...)
			publish(t, h, "h", "d")
			return []Event{"subscribed"}
		}})
		expect(t, w, "subscribed", "h@4 d")
	})
}
