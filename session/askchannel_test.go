package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// doorman is an app that is asked about channels.
type doorman struct{ asked []string }

func (d *doorman) HandleChannel(_ context.Context, who Client, q ChannelQuestion) (*PassMember, error) {
	d.asked = append(d.asked, fmt.Sprint(who.User, " ", q.Channel, " ", q.Presence))
	switch q.Channel {
	case "closed":
		return nil, &protocol.Error{Code: protocol.Forbidden, FromApp: true}
	case "broken":
		return nil, errors.New("502")
	}
	return &PassMember{ID: "7"}, nil
}

// The app says who a client is in a channel, or that it may not be there. Without an app nobody may.
func TestAskChannel(t *testing.T) {
	door := new(doorman)
	inRealm(t, Realm{Channels: door}, nil, func(t *testing.T, w *world) {
		c := w.arrive(named("ann"))
		for channel, want := range map[string]protocol.Code{"open": "", "closed": protocol.Forbidden, "broken": protocol.Unavailable} {
			m, e := c.AskChannel(t.Context(), ChannelQuestion{Channel: channel, Presence: true})
			if codeOf(e) != want || (m != nil) != (want == "") || m != nil && m.ID != "7" {
				t.Errorf("%s: %+v, %v", channel, m, e)
			}
			if got := door.asked[len(door.asked)-1]; got != "ann "+channel+" true" {
				t.Errorf("asked %q", got)
			}
		}
		w.withRealm(Realm{})
		if m, e := c.AskChannel(t.Context(), ChannelQuestion{Channel: "open"}); codeOf(e) != protocol.Forbidden || m != nil || len(door.asked) != 3 {
			t.Errorf("without an app: %+v, %v", m, e)
		}
	})
}

// What a dialect finds missing is recorded for the app. A record that fails is logged.
func TestRecordMissed(t *testing.T) {
	inBubble(t, Limits{}, open("*"), func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.RecordMissed("c") // nothing records
		recorded := w.counts()
		c.RecordMissed("c")
		if strings.Contains(w.logs.String(), "could not be recorded") || recorded.missed != 1 {
			t.Errorf("%d records, logged %s", recorded.missed, w.logs)
		}
		recorded.fail = errors.New("no space")
		c.RecordMissed("c")
		if n := strings.Count(w.logs.String(), "could not be recorded"); n != 1 {
			t.Errorf("%d warnings", n)
		}
	})
}

// The sessions of a dialect are found among those of this node.
func TestHere(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		ann, bob := w.connect("ann"), w.connect("bob")
		any := func(*hub.Conn) bool { return true }
		if got := w.registry.Here("native", any); len(got) != 2 {
			t.Errorf("%d sessions of the dialect", len(got))
		}
		if got := w.registry.Here("another", any); len(got) != 0 {
			t.Errorf("%d sessions of another dialect", len(got))
		}
		if got := w.registry.Here("native", func(c *hub.Conn) bool { return c.ID() == bob.Conn().ID() }); len(got) != 1 || got[0] != bob.Session {
			t.Errorf("%d sessions with the connection", len(got))
		}
		ann.Conn().Close(hub.ReasonGone)
		bob.Conn().Close(hub.ReasonGone)
		settle()
		if got := w.registry.Here("native", any); len(got) != 0 {
			t.Errorf("%d sessions are left", len(got))
		}
	})
}

// A subscription that fails leaves no pass behind: the pass was for that one alone.
func TestPassOfASubscriptionThatFails(t *testing.T) {
	room := granted("g")
	room.History.Size = 1
	inBubble(t, Limits{}, []policy.Room{room}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		subscribe := func(pass *Pass) protocol.Code {
			return codeOf(c.Subscribe(t.Context(), protocol.Subscribe{Channel: "g"}, SubscribeOptions{Pass: pass}))
		}
		w.broker.set(func() { w.broker.fail = errors.New("out of order") })
		if got := subscribe(&Pass{Publish: true}); got != protocol.Internal {
			t.Errorf("the broker fails: %q", got)
		}
		w.broker.set(func() { w.broker.fail = nil })
		if got := subscribe(nil); got != protocol.Forbidden || len(c.places) != 0 {
			t.Errorf("without a pass: %q, %d places", got, len(c.places))
		}
		if got := subscribe(&Pass{}); got != "" {
			t.Errorf("with a pass: %s", got)
		}
	})
}

// The member of a pass is the sender of what the client publishes in that channel, and stays that member when the
// client gets another user.
func TestMemberOfAPass(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{lobby("lobby"), lobby("other")}, func(t *testing.T, w *world) {
		c := w.arrive(new(Principal))
		pass := &Pass{Publish: true, Member: &PassMember{ID: "seven", Info: []byte(`{"n":7}`)}}
		for channel, p := range map[string]*Pass{"lobby": pass, "other": {Publish: true}} {
			if e := c.Subscribe(t.Context(), protocol.Subscribe{Channel: channel}, SubscribeOptions{Pass: p}); e != nil {
				t.Fatal(e)
			}
		}
		quiet(c)
		c.say(`{"type":"message","payload":{"channel":"lobby","content":1}}`)
		c.hears(`{"type":"message","payload":{"channel":"lobby","sender":"seven","content":1}}`)
		members := func() string {
			text := ""
			for _, channel := range []string{"lobby", "other"} {
				page, e := w.registry.Presence.Members(t.Context(), Caller{App: true}, channel, presence.Query{Limit: 10})
				if e != nil || len(page.Members) != 1 {
					t.Fatalf("%+v, %v", page, e)
				}
				text += page.Members[0].Key + " "
			}
			return text
		}
		if got, want := members(), "seven "+c.Conn().ID()+" "; got != want {
			t.Errorf("members %s, want %s", got, want)
		}
		for _, name := range []string{"Ann", "Anna"} {
			c.say(authenticateWith(token(t, claims("ann", map[string]any{"info": map[string]any{"name": name}}))))
			settle()
			if got := members(); got != "seven ann " {
				t.Errorf("members %s after the client became ann", got)
			}
		}
		if strings.Contains(w.logs.String(), `"level":"ERROR"`) {
			t.Errorf("logged %s", w.logs)
		}
	})
}
