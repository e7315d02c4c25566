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
