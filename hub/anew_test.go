package hub

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lagging is a store whose Publish does something before it does anything else, and after
// the broadcast, when it holds no lock any more.
type lagging struct {
	*store
	before, after func()
}

func (b *lagging) Publish(ctx context.Context, m *Message, o PublishOptions) (Published, error) {
	if before := b.before; before != nil {
		before()
	}
	p, err := b.store.Publish(ctx, m, o)
	if after := b.after; after != nil {
		after()
	}
	return p, err
}

func newLaggingHub(t *testing.T) (*Hub, *lagging) {
	// No pings are among what is counted, and the queues have room for all that a test publishes:
	// a client that gets no processor for a while is not to be closed as slow.
	h, s := newTestHub(t, Settings{Heartbeat: time.Hour, QueueMessages: 2400})
	b := &lagging{store: s}
	h.broker = b
	return h, b
}

// gateWire is a transport whose TryWrite takes as long as the test likes.
type gateWire struct {
	*wire
	gate chan struct{}
}

func (w gateWire) TryWrite(p []byte) (int, error) {
	<-w.gate
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Write(p)
	return len(p), nil
}

// A publisher has promised to drain a room. If the room empties and is made anew before
// the broker returns, the promise is still about the old one.
func TestRoomMadeAnewWhilePublishing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newLaggingHub(t)
		first := connect(t, h, newWire())
		subscribe(t, h, first, "h", SubscribeOptions{})
		old := h.room("h")

		slow, other := gateWire{newWire(), make(chan struct{})}, connect(t, h, newWire())
		b.after = func() {
			b.after = nil
			h.Unsubscribe(first, "h")
			subscribe(t, h, connect(t, h, slow), "h", SubscribeOptions{})
			subscribe(t, h, other, "h", SubscribeOptions{})
			h.Broadcast("h", &Message{Channel: "h", Content: []byte("to the new room"), Position: Position{Epoch: "e", Offset: 2}})
			synctest.Wait() // its broadcast is at the slow member
		}
		publish(t, h, "h", "to the old room")
		if old.draining || len(old.pending) > 0 {
			t.Error("the old room was not drained")
		}
		if r := h.room("h"); r == old || !r.draining || !r.shared {
			t.Error("the new room was taken for the old one")
		}
		h.Unsubscribe(other, "h") // must not change the members that are ranged over
		close(slow.gate)
		expect(t, slow, "h@2 to the new room")
	})
}

// Publish has found a room. If that is made anew before the broker broadcasts, the message
// goes to the new one.
func TestRoomMadeAnewBeforeBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newLaggingHub(t)
		first, second := connect(t, h, newWire()), newWire()
		subscribe(t, h, first, "h", SubscribeOptions{})
		b.before = func() {
			b.before = nil
			h.Unsubscribe(first, "h")
			subscribe(t, h, connect(t, h, &tryWire{wire: second}), "h", SubscribeOptions{})
		}
		m := &Message{Channel: "h", Content: []byte("a")}
		if _, err := h.Publish(t.Context(), m, ""); err != nil {
			t.Fatal(err)
		}
		expect(t, second, "h@1 a")
		if m.drainer != nil {
			t.Error("the message, which the history keeps, keeps a room")
		}
	})
}

// Rooms come and go under their publishers.
func TestRoomsMadeAnew(t *testing.T) {
	h, b := newLaggingHub(t)
	b.after = func() {
		for range 4 {
			runtime.Gosched()
		}
	}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 100 {
				comeAndGo(t, h)
			}
		})
	}
	clients.Wait()
	if n := b.attachments(); n != 0 {
		t.Errorf("%d attachments left", n)
	}
}

// comeAndGo enters a room, publishes, leaves, and checks the order of what it got.
func comeAndGo(t *testing.T, h *Hub) {
	w := newWire()
	c := connect(t, h, &tryWire{wire: w})
	subscribe(t, h, c, "h0", SubscribeOptions{Reply: replay})
	publish(t, h, "h0", "1", "2", "3")
	c.Close(ReasonNormal)
	w.waitClosed()
	check(t, w.lines(), make([]*Position, 1))
}

// A panic of the broker does not leave a room behind that nobody drains.
func TestPublishPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newLaggingHub(t)
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		b.after = func() { panic("broker") }
		func() {
			defer func() {
				if v := recover(); fmt.Sprint(v) != "broker" {
					t.Errorf("recovered %v", v)
				}
			}()
			publish(t, h, "h", "a")
		}()
		b.after = nil
		publish(t, h, "h", "b")
		expect(t, w, "h@1 a", "h@2 b")
		if s := h.Stats(); s.Pending != 0 || h.room("h").reserved != 0 {
			t.Errorf("left over: %+v, reserved %d", s, h.room("h").reserved)
		}
	})
}
