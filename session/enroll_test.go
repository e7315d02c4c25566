package session

import (
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A subscription by the app does not depend on the access of the room, and outlives new rules
// that still have the room.
func TestEnrollment(t *testing.T) {
	closed := policy.Room{Pattern: "secret", Subscribe: policy.Server}
	inBubble(t, Limits{}, []policy.Room{closed}, func(t *testing.T, w *world) {
		ann, anonymous := w.connect("ann"), w.connect("")
		n := &w.registry.Enrollment
		if _, e := n.Subscribe(t.Context(), Target{User: "ann"}, "nowhere"); codeOf(e) != protocol.InvalidChannel {
			t.Errorf("a channel without a room: %v", e)
		}
		for _, to := range []Target{{User: "ann"}, {User: "ann"}, {Connection: anonymous.Conn().ID()}} {
			if done, e := n.Subscribe(t.Context(), to, "secret"); e != nil || done != (Ended{Connections: 1, Nodes: 1}) {
				t.Errorf("%+v: %+v, %v", to, done, e)
			}
		}
		ann.hears(`{"type":"subscribed","payload":{"channel":"secret"}}`)
		anonymous.hears(`{"type":"subscribed","payload":{"channel":"secret"}}`)
		w.rules(closed)
		ann.hears()
		if done, e := n.Unsubscribe(t.Context(), Target{User: "ann"}, "secret"); e != nil || done.Connections != 1 {
			t.Errorf("%+v, %v", done, e)
		}
		if ann.Conn().In("secret") || ann.isEnrolled("secret") {
			t.Error("ann is still subscribed")
		}
		w.rules(policy.Room{Pattern: "other"})
		synctest.Wait()
		if anonymous.Conn().In("secret") {
			t.Error("a subscription outlives the room")
		}
	})
}

func TestPanicInSubscriptionsByOrder(t *testing.T) {
	log := new(panictest.Log)
	u := newRules(Config{Logger: log.Logger()})
	enrollAll(u, []*Session{nil}, "x", make(chan bool, 1))
	log.Once(t, "subscriptions by order of the app", "runtime error: invalid memory address or nil pointer dereference")
}
