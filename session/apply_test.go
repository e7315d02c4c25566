package session

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func subscribeTo(channel string) string {
	return `{"type":"subscribe","id":1,"payload":{"channel":"` + channel + `"}}`
}

func revoked(channel string, code protocol.Code) string {
	return `{"type":"unsubscribed","payload":{"channel":"` + channel + `","code":"` + string(code) + `"}}`
}

func TestNothingIsAllowedBeforeApply(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		fresh := New(w.hub)
		for _, a := range []policy.Action{policy.Subscribe, policy.Publish} {
			if got := codeOf(fresh.May(Caller{Principal: named("ann")}, a, "a")); got != protocol.Forbidden {
				t.Errorf("%v: %q", a, got)
			}
		}
		if got := fresh.MessageSize(); got != 64<<10 {
			t.Errorf("MessageSize is %d", got)
		}
	})
}

func TestApplyRechecksSubscriptions(t *testing.T) {
	inBubble(t, Limits{}, open("a", "b", "{user}:*"), func(t *testing.T, w *world) {
		ann, anon := w.connect("ann"), w.connect("")
		for _, channel := range []string{"a", "b", "ann:1"} {
			ann.say(subscribeTo(channel))
		}
		anon.say(subscribeTo("a"))
		synctest.Wait()
		ann.wire.take()
		anon.wire.take()

		w.rules(policy.Room{Pattern: "a", Subscribe: policy.Users}, policy.Room{Pattern: "{user}:*", Subscribe: policy.Users})
		ann.hears(revoked("b", protocol.Forbidden))
		anon.hears(revoked("a", protocol.Unauthorized))

		// What is left is alive, what is gone silent.
		for _, channel := range []string{"a", "b"} {
			m := &hub.Message{Channel: channel, Content: []byte("1")}
			if _, err := w.hub.Publish(t.Context(), m, ""); err != nil {
				t.Fatal(err)
			}
		}
		ann.hears(`{"type":"message","payload":{"channel":"a","content":1}}`)
		anon.hears()
		w.rules(open("a", "b")...)
		ann.hears(revoked("ann:1", protocol.Forbidden))
		anon.say(subscribeTo("a"))
		anon.hears(`{"type":"subscribed","id":1,"payload":{"channel":"a"}}`)
	})
}

// A subscription that is being made while the rules change must not slip past
// them, and its command is answered.
func TestApplyDuringSubscribe(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		c := w.connect("ann")
		hold := make(chan struct{})
		w.broker.set(func() { w.broker.hold = hold })
		go c.say(subscribeTo("a"))
		synctest.Wait()
		w.rules(policy.Room{Pattern: "a"})
		close(hold)
		c.hears(revoked("a", protocol.Forbidden), failure("1", protocol.Forbidden))
		if got := c.Conn().Channels(); len(got) != 0 {
			t.Errorf("subscribed to %q", got)
		}
	})
}

func TestApplyDuringSubscribeThatStaysAllowed(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		c := w.connect("ann")
		hold := make(chan struct{})
		w.broker.set(func() { w.broker.hold = hold })
		go c.say(subscribeTo("a"))
		synctest.Wait()
		w.rules(policy.Room{Pattern: "a", Subscribe: policy.Users})
		close(hold)
		c.hears(`{"type":"subscribed","id":1,"payload":{"channel":"a"}}`)
	})
}

// However the two meet, no subscription outlives its permission.
func TestApplyAgainstSubscribe(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		for range 300 {
			w.rules(open("a")...)
			c := w.connect("ann")
			var both sync.WaitGroup
			both.Go(func() { c.say(subscribeTo("a")) })
			both.Go(func() { w.rules(policy.Room{Pattern: "a"}) })
			both.Wait()
			if got := c.Conn().Channels(); len(got) != 0 {
				t.Fatalf("still subscribed to %q", got)
			}
			c.Conn().Close(hub.ReasonNormal)
			synctest.Wait()
		}
	})
}

// The rules may change after a command has asked them and before Apply can see its
// subscription. The command itself then notices.
func TestApplyBeforeTheSubscriptionShows(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("h", 1)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		w.broker.set(func() {
			w.broker.during = func() { w.registry.rules.Store(newRules(Config{})) }
		})
		c.say(subscribeTo("h"))
		c.hears(`{"type":"subscribed","id":1,"payload":{"channel":"h","offset":0}}`, revoked("h", protocol.Forbidden))
		if got := c.Conn().Channels(); len(got) != 0 {
			t.Errorf("still subscribed to %q", got)
		}
	})
}

// Apply may find a session that is still being opened.
func TestRecheckBeforeTheConnection(t *testing.T) {
	t.Parallel()
	s := &Session{}
	s.applyRules(newRules(Config{}))
}
