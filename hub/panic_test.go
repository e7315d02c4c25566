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

// unsized is an event whose size can be asked for once, when it is announced.
type unsized struct{ asked *bool }

func (u unsized) Size() int {
	if *u.asked {
		panic("size")
	}
	*u.asked = true
	return maxPending
}

// A panic that is no member's costs what is pending, which the members are told, and
// publishers who wait for the space go on: when a goroutine does the broadcast, and when a
// publisher does.
func TestPanicInARoom(t *testing.T) {
	t.Run("goroutine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, wide)
			w := heldRoom(t, h, "h")
			h.Announce("h", unsized{new(bool)})
			afterPanic(t, h, w)
		})
	})
	t.Run("publisher", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, wide)
			w := gateWire{newWire(), make(chan struct{})}
			subscribe(t, h, as(t, h, w, "ann"), "h", SubscribeOptions{})
			first := publishAsync(t.Context(), h, &Message{Channel: "h", Content: []byte("first")})
			h.Announce("h", unsized{new(bool)})
			afterPanic(t, h, w)
			if err := <-first; err != nil {
				t.Error(err)
			}
		})
	})
}

// afterPanic lets a room go on in which the next broadcast panics.
func afterPanic(t *testing.T, h *Hub, w gateWire) {
	waits := publishAsync(t.Context(), h, &Message{Channel: "h", Content: []byte("a")})
	if !pendingNow(waits) {
		t.Fatal("the publisher does not wait")
	}
	close(w.gate)
	synctest.Wait()
	if pendingNow(waits) {
		t.Fatal("the publisher still waits")
	}
	publish(t, h, "h", "b")
	synctest.Wait()
	got := w.lines()
	if len(got) != 4 || got[1] != "gap h@0" || !strings.HasSuffix(got[2], " a") || !strings.HasSuffix(got[3], " b") {
		t.Errorf("written: %q", got)
	}
	if s := h.Stats(); s.Panics != 1 || s.Dropped != 1 || s.Pending != 0 || s.Waiting != 0 || h.room("h").reserved != 0 {
		t.Errorf("left over: %+v", s)
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
