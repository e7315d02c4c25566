package hub

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func expect(t *testing.T, w interface{ lines() []string }, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := w.lines(); !slices.Equal(got, want) {
		t.Errorf("written:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// transports are the kinds of connection the fan-out treats differently.
func transports() map[string]func() (Transport, *wire) {
	return map[string]func() (Transport, *wire){
		"blocking": func() (Transport, *wire) { w := newWire(); return w, w },
		"trying":   func() (Transport, *wire) { w := newWire(); return &tryWire{wire: w}, w },
		"waiting":  func() (Transport, *wire) { w := newWire(); return &waitWire{tryWire: tryWire{wire: w}}, w },
	}
}

func TestDelivery(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				tr, w := make()
				c := connect(t, h, tr)
				subscribe(t, h, c, "h1", SubscribeOptions{Reply: func(s Subscribed) []Event { return []Event{"subscribed " + s.Channel} }})
				publish(t, h, "h1", "a", "b")
				publish(t, h, "other", "x")
				c.Send("reply")
				synctest.Wait()
				if !h.Unsubscribe(c, "h1", "unsubscribed") || h.Unsubscribe(c, "h1") {
					t.Error("unsubscribe did not tell whether the connection was in")
				}
				publish(t, h, "h1", "c")
				expect(t, w, "subscribed h1", "h1@1 a", "h1@2 b", "reply", "unsubscribed")
			})
		})
	}
}

func TestSubscribe(t *testing.T) {
	cases := map[string]struct {
		options   SubscribeOptions
		trimmed   int
		recovered bool
		replayed  int
	}{
		"from now":       {},
		"newest":         {options: SubscribeOptions{History: 2}, replayed: 2},
		"recover":        {options: SubscribeOptions{Recover: &Position{Epoch: "e", Offset: 1}}, recovered: true, replayed: 2},
		"nothing missed": {options: SubscribeOptions{Recover: &Position{Epoch: "e", Offset: 3}}, recovered: true},
		"other epoch":    {options: SubscribeOptions{Recover: &Position{Epoch: "x", Offset: 1}}},
		"trimmed":        {options: SubscribeOptions{Recover: &Position{Epoch: "e", Offset: 1}}, trimmed: 2},
		"from ahead":     {options: SubscribeOptions{Recover: &Position{Epoch: "e", Offset: 9}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, b := newTestHub(t, Settings{})
				publish(t, h, "h", "a", "b", "c")
				b.first = tc.trimmed
				s := subscribe(t, h, connect(t, h, newWire()), "h", tc.options)
				if s.Recovered != tc.recovered || len(s.Messages) != tc.replayed || s.Position.Offset != 3 {
					t.Errorf("recovered %v, %d messages, position %+v; want %v, %d, offset 3",
						s.Recovered, len(s.Messages), s.Position, tc.recovered, tc.replayed)
				}
			})
		})
	}
}

func TestSubscribeErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		c := connect(t, h, newWire())
		subscribe(t, h, c, "h", SubscribeOptions{})
		if _, err := h.Subscribe(context.Background(), c, "h", SubscribeOptions{}); !errors.Is(err, ErrSubscribed) {
			t.Errorf("second subscription: %v, want ErrSubscribed", err)
		}
		b.fail = ErrUnavailable
		if _, err := h.Subscribe(context.Background(), c, "h2", SubscribeOptions{}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("broker down: %v, want ErrUnavailable", err)
		}
		b.fail = nil
		if got := c.Channels(); !slices.Equal(got, []string{"h"}) {
			t.Errorf("channels %v after a failed subscription, want [h]", got)
		}
		c.Close(ReasonNormal)
		if _, err := h.Subscribe(context.Background(), c, "h3", SubscribeOptions{}); !errors.Is(err, ErrClosed) {
			t.Errorf("closed connection: %v, want ErrClosed", err)
		}
		synctest.Wait()
		if n := b.attachments(); n != 0 {
			t.Errorf("%d rooms attached after everybody left, want 0", n)
		}
		if rooms, _ := h.Rooms("", "", 10); len(rooms) != 0 {
			t.Errorf("rooms %v left", rooms)
		}
	})
}

// A connection that ends while its room is still being attached must leave
// neither the room nor the attachment behind.
func TestCloseWhileAttaching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		b.hold = make(chan struct{})
		c := connect(t, h, newWire())
		failed := make(chan error)
		go func() {
			_, err := h.Subscribe(context.Background(), c, "h", SubscribeOptions{})
			failed <- err
		}()
		synctest.Wait()
		c.Close(ReasonNormal)
		synctest.Wait()
		close(b.hold)
		if err := <-failed; !errors.Is(err, ErrLeft) {
			t.Errorf("subscribe: %v, want ErrLeft", err)
		}
		if n := b.attachments(); n != 0 {
			t.Errorf("%d attachments left", n)
		}
	})
}

// What is published while the position is read is neither lost nor repeated.
func TestMessagesDuringSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		w := newWire()
		c := connect(t, h, w)
		b.hold = make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			subscribe(t, h, c, "h", SubscribeOptions{History: 10, Reply: func(s Subscribed) []Event {
				publish(t, h, "h", "during reply")
				reply := []Event{"subscribed"}
				for _, m := range s.Messages {
					reply = append(reply, m)
				}
				return reply
			}})
		}()
		synctest.Wait()
		publish(t, h, "h", "before position")
		close(b.hold)
		<-done
		publish(t, h, "h", "after")
		expect(t, w, "subscribed", "h@1 before position", "h@2 during reply", "h@3 after")
	})
}

// A hole that the broker could not repair is announced, a repeat is not sent.
func TestBrokerHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		at := func(epoch string, offset uint64) *Message {
			return &Message{Channel: "h", Content: []byte("m"), Position: Position{Epoch: epoch, Offset: offset}}
		}
		h.Broadcast("h", at("e", 1), at("e", 2), at("e", 2), at("e", 5), at("f", 1), at("f", 2))
		expect(t, w, "h@1 m", "h@2 m", "gap h@4", "h@5 m", "gap h@0", "h@1 m", "h@2 m")
	})
}

// The first message a subscriber gets must follow the position it was told.
func TestHoleBehindPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		publish(t, h, "h", "a")
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		h.Broadcast("h", &Message{Channel: "h", Content: []byte("m"), Position: Position{Epoch: "e", Offset: 3}})
		expect(t, w, "gap h@2", "h@3 m")
	})
}

func TestStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		c := connect(t, h, &stampWire{w})
		subscribe(t, h, c, "h", SubscribeOptions{})
		subscribe(t, h, c, "h2", SubscribeOptions{})
		publish(t, h, "h", "a")
		synctest.Wait()
		publish(t, h, "h2", "b")
		synctest.Wait()
		c.Send("no stamp")
		expect(t, w, "[h:1]h@1 a", "[h2:1]h2@1 b", "no stamp")
	})
}

func TestApplyReachesLiveRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		subscribe(t, h, connect(t, h, w), "h", SubscribeOptions{})
		publish(t, h, "h", "with position")
		synctest.Wait()
		h.Apply(Settings{})
		publish(t, h, "h", "without")
		expect(t, w, "h@1 with position", "h@0 without")
	})
}

func TestRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		c, d := connect(t, h, newWire()), connect(t, h, newWire())
		for _, channel := range []string{"b:2", "a", "b:1", "b:3"} {
			subscribe(t, h, c, channel, SubscribeOptions{})
		}
		subscribe(t, h, d, "b:1", SubscribeOptions{})
		page, more := h.Rooms("b:", "", 2)
		if want := []RoomInfo{{"b:1", 2}, {"b:2", 1}}; !slices.Equal(page, want) || !more {
			t.Errorf("page %v, more %v; want %v, true", page, more, want)
		}
		page, more = h.Rooms("b:", "b:2", 2)
		if want := []RoomInfo{{"b:3", 1}}; !slices.Equal(page, want) || more {
			t.Errorf("page %v, more %v; want %v, false", page, more, want)
		}
	})
}

// news is an event for those who share an interest with it.
type news uint8

func (n news) Concerns(interests uint8) bool { return uint8(n)&interests != 0 }

func TestAnnounce(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				tr1, w1 := make()
				tr2, w2 := make()
				subscribe(t, h, connect(t, h, tr1), "h", SubscribeOptions{Interests: 1})
				subscribe(t, h, connect(t, h, tr2), "h", SubscribeOptions{Interests: 2})
				publish(t, h, "h", "a")
				h.Announce("h", "for all")
				h.Announce("h", news(2))
				publish(t, h, "h", "b")
				expect(t, w1, "h@1 a", "for all", "h@2 b")
				expect(t, w2, "h@1 a", "for all", "news", "h@2 b")
			})
		})
	}
}
