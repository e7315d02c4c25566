package hub

import (
	"context"
	"testing"
	"testing/synctest"
)

// corkedRoom is a room of a publisher and another member. The publisher has published "a", and
// has not replied yet.
func corkedRoom(t *testing.T, tr Transport) (*Hub, *Conn) {
	h, _ := newTestHub(t, Settings{})
	c, w := connect(t, h, tr), newWire()
	subscribe(t, h, c, "r", SubscribeOptions{})
	subscribe(t, h, connect(t, h, &tryWire{wire: w}), "r", SubscribeOptions{})
	if _, err := h.PublishFrom(context.Background(), c, &Message{Channel: "r", Content: []byte("a")}, ""); err != nil {
		t.Fatal(err)
	}
	expect(t, w, "r@0 a")
	return h, c
}

// The own message of a publisher and the reply are one write.
func TestCork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		_, c := corkedRoom(t, &tryWire{wire: w})
		if w.count() != 0 {
			t.Error("the publisher's own message did not wait for the reply")
		}
		c.Send("ack")
		if w.count() != 1 {
			t.Errorf("message and reply were %d writes", w.count())
		}
		c.Uncork() // nothing is left to do
		c.Send("next")
		expect(t, w, "r@0 a", "ack", "next")
	})
}

// Without a reply Uncork writes, and what came meanwhile stands behind.
func TestUncork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		h, c := corkedRoom(t, &tryWire{wire: w})
		publish(t, h, "r", "b")
		c.Send("ack")
		synctest.Wait()
		if w.count() != 0 {
			t.Error("something was written while the connection was corked")
		}
		c.Uncork()
		expect(t, w, "r@0 a", "r@0 b", "ack")
	})
}

// What the socket does not take is written later, in order.
func TestCorkFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		h, c := corkedRoom(t, &tryWire{wire: w, part: 3})
		w.stick(true)
		c.Send("ack")
		publish(t, h, "r", "b")
		synctest.Wait()
		if got := w.text(); got != "r@0" {
			t.Errorf("a full socket took %q", got)
		}
		w.stick(false)
		expect(t, w, "r@0 a", "ack", "r@0 b")
	})
}

// A connection that is closed while it is corked still gets what it was sent, and its close.
func TestCorkClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		_, c := corkedRoom(t, &tryWire{wire: w})
		c.Close(ReasonNormal)
		c.Send("too late")
		c.Uncork()
		w.waitClosed()
		expect(t, w, "r@0 a", "close 1000")
	})
}

// A transport that panics when the cork comes off costs its connection alone.
func TestCorkPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		h, c := corkedRoom(t, panicWire{w})
		c.Uncork()
		w.waitClosed()
		if n := h.Stats().Panics; n != 1 {
			t.Errorf("%d panics counted", n)
		}
	})
}

// panicWire is a transport that cannot write.
type panicWire struct{ *wire }

func (panicWire) TryWrite([]byte) (int, error) { panic("try") }

// Transports that cannot try, and large rooms, have no cork.
func TestNoCork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		_, c := corkedRoom(t, w)
		expect(t, w, "r@0 a")
		c.Send("ack")
		expect(t, w, "r@0 a", "ack")
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		h, _ := newTestHub(t, Settings{})
		c := connect(t, h, &tryWire{wire: w})
		subscribe(t, h, c, "r", SubscribeOptions{})
		for range inlineMembers {
			subscribe(t, h, connect(t, h, sinkWire{}), "r", SubscribeOptions{})
		}
		if _, err := h.PublishFrom(context.Background(), c, &Message{Channel: "r", Content: []byte("a")}, ""); err != nil {
			t.Fatal(err)
		}
		expect(t, w, "r@0 a")
	})
}
