package session

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// lobby is an open room with presence.
func lobby(pattern string) policy.Room {
	r := open(pattern)[0]
	r.Members = &presence.Options{Grace: 5 * time.Second, Remember: time.Minute}
	return r
}

// withMembers gives a world's registry its tracker.
func withMembers(t testing.TB, w *world) *presence.Tracker {
	return withStore(t, w, func(s presence.Sink) (presence.Store, error) { return memory.NewPresenceStore(s), nil })
}

func withStore(t testing.TB, w *world, store func(presence.Sink) (presence.Store, error)) *presence.Tracker {
	tracker, err := presence.New(store,
		func(channel string, f presence.Frame) { w.hub.Announce(channel, protocol.PresenceEvent{Frame: f}) },
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tracker.Close(); err != nil {
			t.Error(err)
		}
	})
	tracker.Apply(presence.Settings{Room: func(channel string) presence.Options { return w.registry.rules.Load().policy.Presence(channel) }})
	w.registry.WithPresence(tracker)
	return tracker
}

func inLobby(t *testing.T, rooms []policy.Room, test func(t *testing.T, w *world)) {
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		withMembers(t, w)
		test(t, w)
	})
}

// settle lets a window of changes pass.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

const subscribeLobby = `{"type":"subscribe","payload":{"channel":"lobby"}}`

func presenceFrame(payload string) string {
	return `{"type":"presence","payload":{"channel":"lobby",` + payload + `}}`
}

const subscribedLobby = `{"type":"subscribed","payload":{"channel":"lobby"}}`

func TestPresenceOfTabs(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		watcher := w.connect("ann")
		watcher.say(subscribeLobby)
		settle()
		watcher.hears(subscribedLobby, presenceFrame(`"users":["ann"],"count":1`))

		tab1, tab2 := w.connect("bob"), w.connect("bob")
		tab1.say(`{"type":"subscribe","payload":{"channel":"lobby","status":"away","info":{"name":"Bob"}}}`)
		settle()
		watcher.hears(presenceFrame(`"entered":["bob"],"info":{"bob":{"status":"away","name":"Bob"}},"count":2`))
		tab2.say(subscribeLobby) // does not set away: bob is online
		settle()
		watcher.hears(presenceFrame(`"updated":["bob"],"info":{"bob":{"name":"Bob"}},"count":2`))

		tab1.Conn().Close(hub.ReasonNormal)
		settle()
		watcher.hears(presenceFrame(`"updated":["bob"],"count":2`)) // what the tab said goes with it
		tab2.say(`{"type":"unsubscribe","payload":{"channel":"lobby"}}`)
		settle()
		watcher.hears(presenceFrame(`"left":["bob"],"count":1`))
	})
}

// A dialect that compares no numbers is not sent a change that was in the list of members, although
// the change has waited in the room behind the list.
func TestPresenceShownOnce(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		w.connect("ann").say(subscribeLobby)
		settle()
		bob := w.connect("bob")
		var shown presence.Snapshot
		bob.Subscribe(t.Context(), protocol.Subscribe{Channel: "lobby"}, SubscribeOptions{Members: func(s *presence.Snapshot) []hub.Event {
			shown = *s
			return []hub.Event{protocol.PresenceEvent{Frame: s}}
		}})
		synctest.Wait()
		bob.hears(presenceFrame(`"users":["ann","bob"],"count":2`))
		settle()
		bob.hears(presenceFrame(`"count":2`)) // the change without bob: the number of members alone
		late := &presence.Diff{Channel: "lobby", Seq: shown.Seq, Entered: shown.Members[:1], Count: 1}
		w.hub.Announce("lobby", protocol.PresenceEvent{Frame: late})
		settle()
		bob.hears()
		w.connect("eve").say(subscribeLobby)
		settle()
		bob.hears(presenceFrame(`"entered":["eve"],"count":3`))

		bob.ShowMembers("lobby", func(s *presence.Snapshot) []hub.Event {
			shown = *s
			return nil
		})
		again := &presence.Diff{Channel: "lobby", Seq: shown.Seq, Entered: shown.Members[2:], Count: 3}
		w.hub.Announce("lobby", protocol.PresenceEvent{Frame: again})
		settle()
		bob.hears()
	})
}

// What is announced before a client has the list of members is a part of the list.
func TestPresenceBeforeTheList(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		w.connect("ann").say(subscribeLobby)
		settle()
		bob := w.connect("bob")
		e := bob.Subscribe(t.Context(), protocol.Subscribe{Channel: "lobby"}, SubscribeOptions{
			Reply: func(Subscribed) []hub.Event {
				early := &presence.Diff{Channel: "lobby", Seq: 1000, Count: 9}
				w.hub.Announce("lobby", protocol.PresenceEvent{Frame: early})
				time.Sleep(time.Millisecond)
				return nil
			},
			Members: func(s *presence.Snapshot) []hub.Event { return []hub.Event{protocol.PresenceEvent{Frame: s}} },
		})
		if e != nil {
			t.Fatal(e)
		}
		bob.hears(presenceFrame(`"users":["ann","bob"],"count":2`))
	})
}

func TestPresenceGrace(t *testing.T) {
	cases := map[string]struct {
		reason hub.Reason
		grace  bool
	}{
		"the client said goodbye":     {hub.ReasonNormal, false},
		"the page was left":           {hub.Reason{Code: 1001, Text: "the client left"}, true},
		"the connection was lost":     {hub.ReasonLost, true},
		"the connection was too slow": {hub.ReasonSlow, true},
		"the node restarts":           {hub.ReasonRestart, true},
		"the app disconnected it":     {protocol.ReasonForbidden, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
				watcher, bob := w.connect("ann"), w.connect("bob")
				watcher.say(subscribeLobby)
				bob.say(subscribeLobby)
				settle()
				watcher.wire.take()
				bob.Conn().Close(tc.reason)
				settle()
				left := presenceFrame(`"left":["bob"],"count":1`)
				if !tc.grace {
					watcher.hears(left)
					return
				}
				watcher.hears()
				time.Sleep(5 * time.Second)
				watcher.hears(left)
			})
		})
	}
}

// A client that comes back within the grace was never away for the others.
func TestPresenceReconnect(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		watcher, bob := w.connect("ann"), w.connect("bob")
		watcher.say(subscribeLobby)
		bob.say(subscribeLobby)
		settle()
		watcher.wire.take()
		bob.Conn().Close(hub.ReasonLost)
		time.Sleep(4 * time.Second)
		again := w.connect("bob")
		again.say(subscribeLobby)
		time.Sleep(time.Minute)
		watcher.hears()
	})
}

func TestPresenceCommand(t *testing.T) {
	inLobby(t, append([]policy.Room{lobby("lobby")}, open("plain")...), func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.say(`{"type":"presence","id":1,"payload":{"channel":"lobby"}}`)
		c.hears(failure(`1`, protocol.NotSubscribed))
		c.say(subscribeLobby, `{"type":"subscribe","payload":{"channel":"plain"}}`)
		settle()
		c.wire.take()
		c.say(`{"type":"presence","id":2,"payload":{"channel":"plain"}}`)
		c.hears(failure(`2`, protocol.Forbidden))
		c.say(`{"type":"presence","id":3,"payload":{"channel":"lobby","status":"busy"}}`)
		settle()
		c.hears(`{"type":"ack","id":3,"payload":{"channel":"lobby"}}`, presenceFrame(`"updated":["ann"],"info":{"ann":{"status":"busy"}},"count":1`))
		c.say(`{"type":"presence","id":4,"payload":{"channel":"lobby"}}`)
		c.hears(`{"type":"presence","id":4,"payload":{"channel":"lobby","users":["ann"],"info":{"ann":{"status":"busy"}},"count":1}}`)
		c.say(`{"type":"presence","id":5,"payload":{"channel":"lobby","status":"offline"}}`)
		c.hears(failure(`5`, protocol.InvalidMessage))
		c.say(`{"type":"presence","id":6,"payload":{"channel":"lobby","info":[]}}`)
		c.hears(failure(`6`, protocol.InvalidMessage))
	})
}

// What a client says of itself is checked before it is in the room.
func TestSubscribeWithBadAppearance(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.say(`{"type":"subscribe","id":1,"payload":{"channel":"lobby","info":"Ann"}}`)
		c.hears(failure(`1`, protocol.InvalidMessage))
		if rooms := c.Conn().Channels(); len(rooms) > 0 {
			t.Errorf("in %v after an error", rooms)
		}
	})
}

// Who may not see the members counts as one all the same.
func TestPresenceVisibility(t *testing.T) {
	room := lobby("lobby")
	room.PresenceAccess = policy.Users
	inLobby(t, []policy.Room{room}, func(t *testing.T, w *world) {
		stranger, ann := w.connect(""), w.connect("ann")
		stranger.say(subscribeLobby)
		settle()
		stranger.hears(subscribedLobby)
		stranger.say(`{"type":"presence","id":1,"payload":{"channel":"lobby"}}`)
		stranger.hears(failure(`1`, protocol.Unauthorized))
		ann.say(subscribeLobby)
		settle()
		page, e := w.registry.Presence.Members(context.Background(), Caller{Principal: named("ann")}, "lobby", presence.Query{Limit: 10})
		if e != nil || page.Count != 2 {
			t.Errorf("%+v, %v; want both members", page, e)
		}
		if _, e := w.registry.Presence.Members(context.Background(), Caller{}, "lobby", presence.Query{}); e == nil {
			t.Error("anonymous callers of the API may see the members")
		}
		stranger.hears()
	})
}

// A reload that turns presence on or off applies to those who are there.
func TestPresenceAfterReload(t *testing.T) {
	inLobby(t, open("lobby"), func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.say(subscribeLobby)
		settle()
		c.hears(subscribedLobby)
		w.rules(lobby("lobby"))
		settle()
		c.hears(presenceFrame(`"users":["ann"],"count":1`))
		w.rules(open("lobby")...)
		settle()
		c.wire.take()
		c.say(`{"type":"presence","id":1,"payload":{"channel":"lobby"}}`)
		c.hears(failure(`1`, protocol.Forbidden))
	})
}

// While a reload turns presence on, an anonymous client authenticates. Whichever comes
// last, the user is the member, and there is no other one.
func TestPresenceTurnedOnWhileAuthenticating(t *testing.T) {
	inBubble(t, Limits{}, open("lobby"), func(t *testing.T, w *world) {
		tracker := withMembers(t, w)
		c := w.connect("")
		c.say(subscribeLobby)
		anonymous := c.who()
		u := newRules(Config{Policy: blocks(t, lobby("lobby"))})
		w.registry.rules.Store(u) // and Apply is about to visit the session
		if e := c.become(anonymous, named("ann")); e != nil {
			t.Fatal(e)
		}
		if c.enterAs(anonymous, u, "lobby", protocol.Appearance{}, nil) {
			t.Error("the session entered as a principal that it does not have any more")
		}
		c.enterPresence(u, "lobby", protocol.Appearance{}, nil)
		settle()
		page, err := tracker.Members(t.Context(), "lobby", presence.Query{Limit: 10})
		if err != nil || page.Count != 1 || len(page.Members) != 1 || page.Members[0].Key != "ann" {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

// A reload turns presence off while a client that has just subscribed enters.
func TestPresenceTurnedOffWhileEntering(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		tracker := withMembers(t, w)
		c := w.connect("ann")
		var once sync.Once
		tracker.Apply(presence.Settings{Room: func(string) presence.Options {
			once.Do(func() { w.rules(open("lobby")...) })
			return presence.Options{}
		}})
		c.say(subscribeLobby)
		settle()
		if c.present("lobby") {
			t.Error("the client is a member of a room without presence")
		}
	})
}
