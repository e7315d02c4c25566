package hub

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
)

func as(t *testing.T, h *Hub, tr Transport, user string) *Conn {
	t.Helper()
	c, err := h.Connect(ConnOptions{Transport: tr, Encoder: lines, User: func() string { return user }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func whisper(t *testing.T, h *Hub, channel, content string, to Address) {
	t.Helper()
	m := &Message{Channel: channel, Content: []byte(content), Direct: &Direct{To: to}}
	p, err := h.Publish(context.Background(), m, "")
	if err != nil || p != (Published{}) {
		t.Fatalf("published %+v, %v", p, err)
	}
}

// A message to one member reaches that one alone, in its place among the others.
func TestDirect(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				tr1, w1 := make()
				tr2, w2 := make()
				tr3, w3 := make()
				a1, a2, nobody := as(t, h, tr1, "ann"), as(t, h, tr2, "ann"), connect(t, h, tr3)
				for _, c := range []*Conn{a1, a2, nobody} {
					subscribe(t, h, c, "h", SubscribeOptions{})
				}
				publish(t, h, "h", "a")
				whisper(t, h, "h", "both", Address{User: "ann"})
				whisper(t, h, "h", "one", Address{User: "ann", Connection: a1.ID()})
				whisper(t, h, "h", "the unknown", Address{Connection: nobody.ID()})
				// Whoever is a user is not reached as if they were none, no user is reached
				// by the name of a connection, and an address without anything is nobody's.
				whisper(t, h, "h", "lost", Address{Connection: a1.ID()})
				whisper(t, h, "h", "lost", Address{User: nobody.ID()})
				whisper(t, h, "h", "lost", Address{User: "bob", Connection: a1.ID()})
				whisper(t, h, "h", "lost", Address{User: "a*"})
				whisper(t, h, "h", "lost", Address{})
				publish(t, h, "h", "b")
				expect(t, w1, "h@1 a", "h@0 both", "h@0 one", "h@2 b")
				expect(t, w2, "h@1 a", "h@0 both", "h@2 b")
				expect(t, w3, "h@1 a", "h@0 the unknown", "h@2 b")
			})
		})
	}
}

// The user is the one of the moment.
func TestDirectAfterSigningIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		user, w := "", newWire()
		c, err := h.Connect(ConnOptions{Transport: w, Encoder: lines, User: func() string { return user }})
		if err != nil {
			t.Fatal(err)
		}
		subscribe(t, h, c, "c", SubscribeOptions{})
		whisper(t, h, "c", "1", Address{Connection: c.ID()})
		synctest.Wait()
		user = "ann"
		whisper(t, h, "c", "2", Address{Connection: c.ID()})
		whisper(t, h, "c", "3", Address{User: "ann"})
		expect(t, w, "c@0 1", "c@0 3")
	})
}

// In a room where a subscription has a member of its own, that one is addressed, and not the user.
func TestDirectToTheMemberOfASubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		c := as(t, h, w, "ann")
		subscribe(t, h, c, "own", SubscribeOptions{Member: "7"})
		subscribe(t, h, c, "plain", SubscribeOptions{})
		for _, channel := range []string{"own", "plain"} {
			whisper(t, h, channel, "to 7", Address{User: "7"})
			whisper(t, h, channel, "to 7 there", Address{User: "7", Connection: c.ID()})
			whisper(t, h, channel, "to ann", Address{User: "ann"})
			whisper(t, h, channel, "to nobody", Address{Connection: c.ID()})
			synctest.Wait()
		}
		expect(t, w, "own@0 to 7", "own@0 to 7 there", "plain@0 to ann")
	})
}

// While a connection is being subscribed a message to it is held back with the others,
// and does not disturb what is known of where it began.
func TestDirectWhileSubscribing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b := newTestHub(t, Settings{})
		w := newWire()
		c := as(t, h, w, "ann")
		publish(t, h, "h", "a")
		other := connect(t, h, newWire())
		subscribe(t, h, other, "h", SubscribeOptions{})
		subscribe(t, h, c, "h", SubscribeOptions{History: 1, Reply: func(s Subscribed) []Event {
			whisper(t, h, "h", "to ann", Address{User: "ann"})
			whisper(t, h, "h", "to bob", Address{User: "bob"})
			b.sink.Broadcast("h", s.Messages...) // late: it is part of the reply
			publish(t, h, "h", "b")
			synctest.Wait()
			return []Event{"reply"}
		}})
		expect(t, w, "reply", "h@0 to ann", "h@2 b")
	})
}

// Where the slow lose messages, a message to one of them pushes nothing out and ends
// nothing, and its loss is no gap.
func TestDirectToTheSlow(t *testing.T) {
	for _, slow := range []Slow{SlowDropOldest, SlowLatest} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTestHub(t, Settings{QueueMessages: 4, Room: func(string) RoomOptions { return RoomOptions{Slow: slow} }})
			w := newWire()
			c := as(t, h, w, "ann")
			subscribe(t, h, c, "c", SubscribeOptions{})
			w.stick(true)
			whisper(t, h, "c", "taken by the transport", Address{User: "ann"})
			synctest.Wait()
			for range 20 {
				whisper(t, h, "c", "x", Address{User: "ann"})
			}
			synctest.Wait()
			w.stick(false)
			synctest.Wait()
			if got := strings.Count(w.text(), "c@0 x"); got != 4 {
				t.Errorf("%v: %d were delivered", slow, got)
			}
			publish(t, h, "c", "goes on")
			synctest.Wait()
			if got := w.lines(); got[len(got)-1] != "c@0 goes on" || strings.Contains(w.text(), "gap") {
				t.Errorf("%v: the end is %q", slow, got)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{QueueMessages: 4})
		w := newWire()
		c := as(t, h, w, "ann")
		subscribe(t, h, c, "c", SubscribeOptions{})
		w.stick(true)
		for range 20 {
			whisper(t, h, "c", "x", Address{User: "ann"})
			synctest.Wait()
		}
		w.stick(false)
		w.waitClosed()
	})
}

// What costs nothing shows in no test of what is delivered: the connections of the
// others are passed by without being asked.
func TestDirectPassesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		s := &subscription{conn: as(t, h, newWire(), "ann")}
		to := func(user string) Event { return &Message{Direct: &Direct{To: Address{User: user}}} }
		for _, test := range []struct {
			events []Event
			want   bool
		}{
			{[]Event{to("bob")}, true},
			{[]Event{to("bob"), to("ann")}, false},
			{[]Event{to("bob"), "an event"}, false},
			{[]Event{to("bob"), new(Message)}, false},
		} {
			b := newBatch(test.events, SlowDisconnect)
			if got := b.skips(s); got != test.want {
				t.Errorf("%v passes: %t", test.events, got)
			}
		}
	})
}
