package hub

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

// clumsy is an Encoder that panics at some contents.
type clumsy struct{ line }

func (e *clumsy) AppendEvent(dst []byte, ev Event) []byte {
	if m, ok := ev.(*Message); ok && strings.HasPrefix(string(m.Content), "poison") {
		panic("encoder")
	}
	return e.line.AppendEvent(dst, ev)
}

// brokenWire is a transport that panics.
type brokenWire struct{ *wire }

func (brokenWire) Write([]byte) error           { panic("transport") }
func (brokenWire) TryWrite([]byte) (int, error) { panic("transport") }

// brokenSlow can only block.
type brokenSlow struct{ *wire }

func (brokenSlow) Write([]byte) error { panic("transport") }

// A broadcast in which something panics costs no other member anything, and the room
// goes on: when the publisher does it, and when a goroutine does.
func TestPanicInABroadcast(t *testing.T) {
	for _, members := range []int{1, inlineMembers + 1} {
		for name, broken := range map[string]func(*wire) Transport{
			"trying":   func(w *wire) Transport { return brokenWire{w} },
			"blocking": func(w *wire) Transport { return brokenSlow{w} },
		} {
			t.Run(fmt.Sprint(name, members), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { panicAmong(t, members, broken) })
			})
		}
	}
}

func panicAmong(t *testing.T, members int, broken func(*wire) Transport) {
	var logs bytes.Buffer
	h, _ := newTestHub(t, Settings{Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	ended := make(chan Reason, 1)
	c, err := h.Connect(ConnOptions{Transport: broken(newWire()), Encoder: lines, OnClose: func(r Reason) { ended <- r }})
	if err != nil {
		t.Fatal(err)
	}
	subscribe(t, h, c, "h", SubscribeOptions{})
	var wires []*wire
	for range members {
		wires = append(wires, newWire())
		subscribe(t, h, connect(t, h, &tryWire{wire: wires[len(wires)-1]}), "h", SubscribeOptions{})
	}
	publish(t, h, "h", "a")
	synctest.Wait()
	publish(t, h, "h", "b")
	for _, w := range wires {
		expect(t, w, "h@1 a", "h@2 b")
	}
	if r := <-ended; r != ReasonLost {
		t.Errorf("the broken connection ended with %v", r)
	}
	if n := h.Stats().Panics; n != 1 || strings.Count(logs.String(), "panic in") != 1 {
		t.Errorf("%d panics counted, logged:\n%s", n, logs.String())
	}
}

// What an encoder can not encode is lost to all of its connections and told once each;
// nobody is disconnected.
func TestPanicInAnEncoder(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				var wires [2]*wire
				for i := range wires {
					var tr Transport
					tr, wires[i] = make()
					c, err := h.Connect(ConnOptions{Transport: tr, Encoder: shaky})
					if err != nil {
						t.Fatal(err)
					}
					subscribe(t, h, c, "h", SubscribeOptions{})
				}
				publish(t, h, "h", "a", "poison", "b")
				for _, w := range wires {
					expect(t, w, "h@1 a", "gap h@2", "h@3 b")
				}
				if n := h.Stats().Panics; n != 1 {
					t.Errorf("%d panics, want 1 for both connections", n)
				}
			})
		})
	}
}

var shaky Encoder = new(clumsy)

// A mistake of whoever is told that a connection ended does not keep its transport open.
func TestPanicInOnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		c, err := h.Connect(ConnOptions{Transport: w, Encoder: lines, OnClose: func(Reason) { panic("on close") }})
		if err != nil {
			t.Fatal(err)
		}
		c.Close(ReasonNormal)
		w.waitClosed()
		if h.Stats().Panics != 1 {
			t.Error("the panic was not counted")
		}
	})
}

// A panic while pinging does not end the heartbeat.
func TestPanicInTheHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		if _, err := h.Connect(ConnOptions{Transport: newWire(), Encoder: mute{}}); err != nil {
			t.Fatal(err)
		}
		w := newWire()
		connect(t, h, w)
		h.beat.visit(0)
		h.beat.visit(1)
		expect(t, w, "ping")
		if h.Stats().Panics != 1 {
			t.Error("the panic was not counted")
		}
	})
}

// mute is an Encoder that can not ping.
type mute struct{ line }

func (mute) AppendEvent([]byte, Event) []byte  { return nil }
func (mute) AppendClose([]byte, Reason) []byte { return nil }
func (mute) AppendPing([]byte) []byte          { panic("ping") }
