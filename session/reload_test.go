package session

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// What the client of a live subscription is told when a reload turns an option of its
// room on or off, and what both transports are told.
func TestReloadTellsLiveClients(t *testing.T) {
	plain, shut := open("lobby")[0], policy.Room{Pattern: "other"}
	users := plain
	users.Subscribe = policy.Users
	doc, hidden := plain, lobby("lobby")
	doc.Document = &document.Options{}
	hidden.PresenceAccess = policy.Server
	const gap = `{"type":"gap","payload":{"channel":"lobby"}}`
	const nobody = `{"type":"presence","payload":{"channel":"lobby","users":[],"count":0}}`
	alone := presenceFrame(`"users":["ann"],"count":1`)
	for name, tc := range map[string]struct {
		before, after policy.Room
		user          string
		want          []string
		ends          bool // for a fixed session
	}{
		"nothing":             {plain, plain, "ann", nil, false},
		"the room off":        {plain, shut, "ann", []string{revoked("lobby", protocol.Forbidden)}, true},
		"users only":          {plain, users, "", []string{revoked("lobby", protocol.Unauthorized)}, true},
		"users only, a user":  {plain, users, "ann", nil, false},
		"presence on":         {plain, lobby("lobby"), "ann", []string{alone}, false},
		"presence off":        {lobby("lobby"), plain, "ann", []string{nobody}, false},
		"presence, hidden on": {plain, hidden, "ann", nil, false},
		"document on":         {plain, doc, "ann", []string{gap}, false},
		"document off":        {doc, plain, "ann", []string{gap}, false},
		"history on":          {plain, kept("lobby", 10), "ann", nil, false},
		"history off":         {kept("lobby", 10), plain, "ann", nil, false},
	} {
		for _, fixed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				inBubble(t, Limits{}, []policy.Room{tc.before}, func(t *testing.T, w *world) {
					withMembers(t, w)
					withDocuments(t, w)
					c := w.connect(tc.user, func(o *Options) { o.Fixed = fixed })
					c.say(subscribeLobby)
					settle()
					c.wire.take()
					w.rules(tc.after)
					settle()
					want := append([]string{}, tc.want...)
					if tc.ends && fixed {
						want = append(want, `{"close":4502}`)
					}
					c.hears(want...)
				})
			})
		}
	}
}

// A fixed session that has lost one of several channels goes on, and comes back when
// the rules give it back.
func TestFixedSessionComesBack(t *testing.T) {
	inBubble(t, Limits{}, open("a", "b"), func(t *testing.T, w *world) {
		c := w.connect("ann", func(o *Options) { o.Fixed = true })
		c.say(subscribeTo("a"), subscribeTo("b"))
		settle()
		c.wire.take()
		w.rules(open("b")...)
		c.hears(revoked("a", protocol.Forbidden))
		w.rules(open("b", "c")...)
		c.hears()
		w.rules(open("a", "b")...)
		c.hears(`{"close":4502}`)
	})
}
