package session

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// enters connects somebody who is in the lobby, and skips what is said about that.
func (w *world) enters(user string) *client {
	c := w.connect(user)
	c.say(subscribeLobby)
	settle()
	c.wire.take()
	return c
}

// quiet lets the lobby settle, and skips what is said about who is there.
func quiet(cs ...*client) {
	settle()
	for _, c := range cs {
		c.wire.take()
	}
}

func tell(to string) string {
	return `{"type":"message","id":1,"payload":{"channel":"lobby","content":"psst","to":` + to + `}}`
}

func told(payload string) string {
	return `{"type":"message","payload":{"channel":"lobby","content":"psst",` + payload + `}}`
}

const toldAck = `{"type":"ack","id":1,"payload":{"channel":"lobby"}}`

// A message to a user reaches all connections of the user, one to a connection that one,
// and nothing else reaches anybody; the answer goes to where the message came from.
func TestMessageToOneMember(t *testing.T) {
	room := lobby("lobby")
	room.History.Size = 10
	inLobby(t, []policy.Room{room}, func(t *testing.T, w *world) {
		ann, ann2, bob, anon := w.enters("ann"), w.enters("ann"), w.enters("bob"), w.enters("")
		quiet(ann, ann2, bob, anon)
		from := func(c *client) string {
			if user := c.who().User; user != "" {
				return fmt.Sprintf(`"sender":%q,"from":{"user":%q,"connection":%q}`, user, user, c.conn.ID())
			}
			return fmt.Sprintf(`"sender":%q,"from":{"connection":%q}`, c.conn.ID(), c.conn.ID())
		}

		bob.say(tell(`{"user":"ann"}`))
		bob.hears(toldAck)
		ann.hears(told(from(bob) + `,"to":{"user":"ann"}`))
		ann2.hears(told(from(bob) + `,"to":{"user":"ann"}`))
		anon.hears()

		answer := fmt.Sprintf(`{"user":"bob","connection":%q}`, bob.conn.ID())
		ann2.say(tell(answer))
		bob.hears(told(from(ann2) + `,"to":` + answer))
		ann.hears()
		ann2.hears(toldAck)

		stranger := fmt.Sprintf(`{"connection":%q}`, anon.conn.ID())
		ann.say(tell(stranger))
		anon.hears(told(from(ann) + `,"to":` + stranger))
		anon.say(tell(fmt.Sprintf(`{"user":"ann","connection":%q}`, ann2.conn.ID())))
		ann2.hears(told(from(anon) + fmt.Sprintf(`,"to":{"user":"ann","connection":%q}`, ann2.conn.ID())))
		ann.hears(toldAck)
		anon.hears(toldAck)

		// One's own user is addressed like any other.
		ann.say(strings.Replace(tell(`{"user":"ann"}`), `"id":1,`, "", 1))
		ann.hears(told(from(ann) + `,"to":{"user":"ann"}`))
		ann2.hears(told(from(ann) + `,"to":{"user":"ann"}`))

		// Nothing of it is history, and the positions go on.
		bob.say(`{"type":"message","payload":{"channel":"lobby","content":"to all"}}`)
		bob.hears(`{"type":"message","payload":{"channel":"lobby","offset":1,"sender":"bob","content":"to all"}}`)
		bob.say(`{"type":"history","id":2,"payload":{"channel":"lobby"}}`)
		bob.hears(`{"type":"history","id":2,"payload":{"channel":"lobby","offset":1,"messages":[{"offset":1,"sender":"bob","content":"to all"}]}}`)
	})
}

// Who may see the members is told when the addressee is none of them.
func TestMessageToNobody(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby"), lobby("other")}, func(t *testing.T, w *world) {
		ann, bob, anon := w.enters("ann"), w.enters("bob"), w.enters("")
		there := w.connect("cleo")
		there.say(`{"type":"subscribe","payload":{"channel":"other"}}`)
		quiet(ann, bob, anon, there)
		for _, to := range []string{
			`{"user":"cleo"}`, `{"user":"*"}`, `{"user":"bo"}`, `{"user":"b?b"}`, `{"user":"Bob"}`,
			fmt.Sprintf(`{"connection":%q}`, bob.conn.ID()), // a user is addressed as one
			`{"connection":"aaaaaaaaaaaaaaaa"}`,
			// A user with the name of a connection is not that connection, nor the other way round.
			fmt.Sprintf(`{"user":%q}`, bob.conn.ID()),
			fmt.Sprintf(`{"user":%q}`, anon.conn.ID()),
			fmt.Sprintf(`{"user":%q,"connection":%[1]q}`, anon.conn.ID()),
			`{"connection":"bob"}`,
		} {
			ann.say(tell(to))
			ann.hears(failure("1", protocol.NotPresent))
			address, e := protocol.DecodeAddress([]byte(to))
			if e != nil {
				t.Fatal(e)
			}
			for _, c := range []Caller{{App: true}, {Principal: named("cleo")}} { // over HTTP
				_, e := w.registry.Publishing.Publish(t.Context(), c, protocol.Publish{Channel: "lobby", Content: []byte("1"), To: address})
				if codeOf(e) != protocol.NotPresent {
					t.Errorf("to %s over HTTP: %v", to, e)
				}
			}
		}
		bob.hears()
		anon.hears()
		there.hears()
		// The member is there, and this connection of it is not.
		ann.say(tell(`{"user":"bob","connection":"aaaaaaaaaaaaaaaa"}`))
		ann.hears(toldAck)
		bob.hears()
	})
}

// A user who has the name of a connection and that connection are both found, each by its own address.
func TestMessageToUserNamedLikeAConnection(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		ann, anon := w.enters("ann"), w.enters("")
		id := anon.conn.ID()
		alike := w.enters(id)
		quiet(ann, anon, alike)
		from := fmt.Sprintf(`"sender":"ann","from":{"user":"ann","connection":%q}`, ann.conn.ID())
		user, connection := fmt.Sprintf(`{"user":%q}`, id), fmt.Sprintf(`{"connection":%q}`, id)
		ann.say(tell(user))
		ann.hears(toldAck)
		alike.hears(told(from + `,"to":` + user))
		anon.hears()
		ann.say(tell(connection))
		ann.hears(toldAck)
		anon.hears(told(from + `,"to":` + connection))
		alike.hears()

		anon.lose(hub.ReasonLost)
		quiet(ann, alike)
		ann.say(tell(connection))
		ann.hears(failure("1", protocol.NotPresent))
		ann.say(tell(user))
		ann.hears(toldAck)
		alike.hears(told(from + `,"to":` + user))
	})
}

// The member of a pass is addressed by the id that the members list shows, and not by its user.
func TestMessageToTheMemberOfAPass(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		ann, seven := w.enters("ann"), w.connect("bob")
		pass := &Pass{Publish: true, Member: &PassMember{ID: "seven"}}
		if e := seven.Subscribe(t.Context(), protocol.Subscribe{Channel: "lobby"}, SubscribeOptions{Pass: pass}); e != nil {
			t.Fatal(e)
		}
		quiet(ann, seven)
		ann.say(tell(`{"user":"seven"}`))
		ann.hears(toldAck)
		seven.hears(told(fmt.Sprintf(`"sender":"ann","from":{"user":"ann","connection":%q},"to":{"user":"seven"}`, ann.conn.ID())))
		ann.say(tell(`{"user":"bob"}`))
		ann.hears(failure("1", protocol.NotPresent))
		seven.hears()
		seven.say(tell(`{"user":"ann"}`))
		seven.hears(toldAck)
		ann.hears(told(fmt.Sprintf(`"sender":"seven","from":{"user":"seven","connection":%q},"to":{"user":"ann"}`, seven.conn.ID())))
	})
}

// Who may not see the members gets the same answer whoever is there, and can be of use
// all the same.
func TestMessageToOneWithoutSeeingTheMembers(t *testing.T) {
	room := lobby("lobby")
	room.PresenceAccess = policy.Users
	inLobby(t, []policy.Room{room}, func(t *testing.T, w *world) {
		ann, anon := w.enters("ann"), w.enters("")
		quiet(ann, anon)
		for _, to := range []string{`{"user":"ann"}`, `{"user":"bob"}`, `{"connection":"aaaaaaaaaaaaaaaa"}`} {
			anon.say(tell(to))
			anon.hears(toldAck)
		}
		ann.hears(told(fmt.Sprintf(`"sender":%q,"from":{"connection":%q},"to":{"user":"ann"}`, anon.conn.ID(), anon.conn.ID())))
		ann.say(tell(`{"user":"bob"}`))
		ann.hears(failure("1", protocol.NotPresent))
	})
}

// Everything that holds for a message holds for one to a member, and comes first.
func TestMessageToOneUnderTheRules(t *testing.T) {
	closed, plain, bounded := lobby("closed"), open("plain")[0], lobby("bounded")
	closed.Publish = policy.Server
	bounded.Rate = policy.Rate{PerSecond: 1, Burst: 2}
	bounded.Sanitize = policy.SanitizeText
	rooms := []policy.Room{lobby("lobby"), closed, plain, bounded}
	inLobby(t, rooms, func(t *testing.T, w *world) {
		ann := w.enters("ann")
		in := func(channel, content string) string {
			return fmt.Sprintf(`{"type":"message","id":1,"payload":{"channel":%q,"content":%s,"to":{"user":"ann"}}}`, channel, content)
		}
		ann.say(in("closed", "1"))
		ann.hears(failure("1", protocol.Forbidden))
		ann.say(in("none", "1"))
		ann.hears(failure("1", protocol.Forbidden))
		ann.say(in("plain", "1"))
		ann.hears(failure("1", protocol.Forbidden))

		ann.say(`{"type":"subscribe","payload":{"channel":"bounded"}}`)
		quiet(ann)
		ann.say(strings.Replace(in("bounded", `"<b>hi</b>"`), `"id":1,`, "", 1))
		ann.hears(fmt.Sprintf(`{"type":"message","payload":{"channel":"bounded","sender":"ann",
			"from":{"user":"ann","connection":%q},"to":{"user":"ann"},"content":"hi"}}`, ann.conn.ID()))
		ann.say(`{"type":"message","id":1,"payload":{"channel":"bounded","content":1,"to":{"user":"bob"}}}`)
		ann.hears(failure("1", protocol.NotPresent))
		ann.say(in("bounded", "1")) // who asks too often who is there is slowed down
		synctest.Wait()
		if got := ann.wire.take(); len(got) != 1 || !strings.Contains(got[0], "RATE_LIMITED") {
			t.Errorf("beyond the rate: %q", got)
		}
	})
}

// The key of a message to one member is not that of a message to all.
func TestKeyOfMessageToOneMember(t *testing.T) {
	room := lobby("lobby")
	room.History.Size = 10
	inLobby(t, []policy.Room{room}, func(t *testing.T, w *world) {
		ann, bob := w.enters("ann"), w.enters("bob")
		quiet(ann, bob)
		to := `{"type":"message","id":1,"payload":{"channel":"lobby","content":1,"key":"k","to":{"user":"ann"}}}`
		bob.say(to, to, `{"type":"message","payload":{"channel":"lobby","content":1,"key":"k"}}`)
		bob.hears(toldAck, `{"type":"ack","id":1,"payload":{"channel":"lobby","duplicate":true}}`,
			`{"type":"message","payload":{"channel":"lobby","offset":1,"sender":"bob","content":1}}`)
		synctest.Wait()
		if got := ann.wire.take(); len(got) != 2 {
			t.Errorf("ann heard %q", got)
		}
	})
}

// Over HTTP a user can be answered, at all connections, and the app and strangers can not.
func TestMessageToOneMemberOverHTTP(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		ann, bob := w.enters("ann"), w.enters("bob")
		quiet(ann, bob)
		publish := func(c Caller, user string) *protocol.Error {
			c.Principal = from(c.User(), "192.0.2.7")
			p := protocol.Publish{Channel: "lobby", Content: []byte(`"psst"`), To: &hub.Address{User: user}}
			_, e := w.registry.Publishing.Publish(t.Context(), c, p)
			return e
		}
		scope, err := policy.NewScope(map[string][]string{"publish": {"*"}}, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			caller Caller
			want   string
		}{
			{Caller{App: true}, `"to":{"user":"ann"}`},
			{Caller{Principal: named("cleo")}, `"to":{"user":"ann"},"sender":"cleo","from":{"user":"cleo"}`},
			{Caller{App: true, Scope: scope}, `"to":{"user":"ann"}`},
		} {
			if e := publish(c.caller, "ann"); e != nil {
				t.Error(e)
			}
			ann.hears(told(c.want))
		}
		if e := publish(Caller{}, "ann"); e != nil {
			t.Error(e)
		}
		synctest.Wait()
		if got := ann.wire.take(); len(got) != 1 || strings.Contains(got[0], `"from"`) {
			t.Errorf("a stranger's message is %q", got)
		}
		for _, c := range []Caller{{App: true}, {Principal: named("cleo")}, {}} {
			if e := publish(c, "nobody"); e == nil || e.Code != protocol.NotPresent {
				t.Errorf("%+v: %v", c, e)
			}
		}
		if e := publish(Caller{App: true, Scope: scope}, "nobody"); e != nil {
			t.Errorf("a key that may not see the members: %v", e)
		}
		bob.hears()
	})
}
