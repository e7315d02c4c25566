package session

import (
	"errors"
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

// The order of the app stays in force for a subscription that it made, and for no other: what the order could not
// make, the client may not do by itself.
func TestEnrollmentThatFailsLeavesNoPermission(t *testing.T) {
	closed := policy.Room{Pattern: "secret", Subscribe: policy.Server}
	inBubble(t, Limits{}, []policy.Room{closed}, func(t *testing.T, w *world) {
		ann, bob := w.connect("ann"), w.connect("bob")
		n := &w.registry.Enrollment
		w.broker.set(func() { w.broker.fail = errors.New("away") })
		if done, e := n.Subscribe(t.Context(), Target{User: "ann"}, "secret"); e != nil || done.Connections != 0 {
			t.Errorf("%+v, %v", done, e)
		}
		w.broker.set(func() { w.broker.fail = nil })
		ann.say(subscribeTo("secret"))
		ann.hears(failure("1", protocol.Forbidden))

		if done, e := n.Subscribe(t.Context(), Target{User: "bob"}, "secret"); e != nil || done.Connections != 1 {
			t.Errorf("%+v, %v", done, e)
		}
		bob.hears(`{"type":"subscribed","payload":{"channel":"secret"}}`)
		w.rules(closed)
		bob.hears()
	})
}

// An order goes to the other nodes unless it is for a connection of this node.
func TestEnrollmentReachesOtherNodes(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, b *world, w *cable) {
		closed := policy.Room{Pattern: "secret", Subscribe: policy.Server}
		a.rules(closed)
		b.rules(closed)
		here, there, far := a.connect("ann"), b.connect("ann"), b.connect("")
		for _, step := range []struct {
			to   Target
			want Ended
			sent int
		}{
			{Target{Connection: here.Conn().ID()}, Ended{Connections: 1, Nodes: 1}, 0},
			{Target{Connection: far.Conn().ID()}, Ended{Connections: 1, Nodes: 2, Pending: 2}, 1},
			{Target{User: "ann"}, Ended{Connections: 2, Nodes: 2, Pending: 2}, 2},
		} {
			done, e := a.registry.Enrollment.Subscribe(t.Context(), step.to, "secret")
			if e != nil || done != step.want || len(w.orders) != step.sent {
				t.Errorf("%+v: %+v, %v, %d orders", step.to, done, e, len(w.orders))
			}
		}
		for name, c := range map[string]*client{"here": here, "there": there, "far": far} {
			if !c.Conn().In("secret") {
				t.Errorf("%s is not subscribed", name)
			}
		}
	})
}

func TestPanicInSubscriptionsByOrder(t *testing.T) {
	log := new(panictest.Log)
	u := newRules(Config{Logger: log.Logger()})
	enrollAll(u, []*Session{nil}, "x", make(chan bool, 1))
	log.Once(t, "subscriptions by order of the app", "runtime error: invalid memory address or nil pointer dereference")
}
