package socketio

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func echo(event string) Rule { return Rule{Event: event, Do: Ack} }

func TestNamespaces(t *testing.T) {
	s := &Server{ConnectTimeout: 45 * time.Second, Namespaces: []Namespace{
		{Name: "/", Rules: []Rule{echo("e")}, Emits: []Emit{{Event: "auth", Auth: true}}},
		{Name: "/admin", Rules: []Rule{echo("*")}, Emits: []Emit{{Event: "hello"}}},
	}}
	inWorld(t, s, func(w *world) {
		p := w.connect()
		p.hears() // nothing is implicit
		p.say(`0/admin,{"token":"x"}`)
		p.hears(`40/admin,{"sid":"ID"}`, `42/admin,["hello"]`)
		p.say(`0{"a":1.0}`)
		p.hears(`40{"sid":"ID"}`, `42["auth",{"a":1.0}]`)
		p.say(`0/other,`)
		p.hears(`44/other,{"message":"Invalid namespace","data":{"code":"forbidden"}}`)
		p.say(`2/admin,7["any",1]`)
		p.say(`28["e"]`)
		p.say(`29["any"]`)
		p.hears(`43/admin,7[1]`, `438[]`, `439[{"ok":false,"error":{"code":"unknown_event","message":"no rule is about the event \"any\""}}]`)

		// A client that leaves a namespace is still in the other one, and may come back.
		p.say(`1/admin,`)
		w.publish(protocol.Publish{Channel: "io:/admin", Event: "e", Content: []byte(`1`)})
		w.publish(protocol.Publish{Channel: "io:/", Event: "e", Content: []byte(`2`)})
		p.hears(`42["e",2]`)
		p.say(`0/admin,`)
		p.hears(`40/admin,{"sid":"ID"}`, `42/admin,["hello"]`)

		q := w.connect()
		q.say(`0`)
		q.hears(`40{"sid":"ID"}`, `42["auth",{}]`)
		time.Sleep(time.Minute)
		q.hears()
	})
}

func TestWhoeverConnectsToNothingIsClosed(t *testing.T) {
	s := &Server{ConnectTimeout: 45 * time.Second, Namespaces: []Namespace{{Name: "/"}}}
	inWorld(t, s, func(w *world) {
		p := w.connect()
		time.Sleep(44 * time.Second)
		p.say(`0/other,`)
		p.hears(`44/other,{"message":"Invalid namespace","data":{"code":"forbidden"}}`)
		time.Sleep(time.Second)
		p.hears("end no namespace was connected to in time")
	})
}

// What breaks a rule of the protocol closes the connection, whatever is open, and the reason says which rule.
func TestBrokenRules(t *testing.T) {
	s := &Server{Namespaces: []Namespace{{Name: "/", Rules: []Rule{echo("*")}}, {Name: "/admin"}}}
	inWorld(t, s, func(w *world) {
		for _, test := range []struct {
			why     string
			packets []string
		}{
			{"an event that is no array with a name in front", []string{"2[]"}},
			{"an event that is no array with a name in front", []string{`2"e"`}},
			{"an event with a name that the libraries keep to themselves", []string{`2["connect"]`}},
			{"a packet of an unknown type", []string{"no"}},
			{"an empty packet", []string{""}},
			{"a CONNECT_ERROR, which only servers send", []string{`4"x"`}},
			{"a CONNECT with an id, or whose auth is no object", []string{`0[]`}},
			{"a DISCONNECT with an id or data", []string{`0`, `17`}},
			{"an acknowledgement without an id or arguments", []string{`0`, `3[]`}},
			{"a packet whose id has more than 16 digits", []string{`0`, `212345678901234567["e"]`}},
			{"a packet whose data is no JSON, or is nested too deeply", []string{`0`, `2["e"`}},
			{"a packet whose namespace is too long or does not print", []string{"0/\x01,"}},
			{"a packet of a namespace that the client is not connected to", []string{`2["e"]`}}, // before CONNECT
			{"a second CONNECT for a namespace", []string{`0`, `0`}},
			{"a packet of a namespace that the client is not connected to", []string{`0`, `2/admin,["e"]`}},
			{"a packet of a namespace that the client is not connected to", []string{`0`, `1`, `2["e"]`}}, // after DISCONNECT
			{"a packet before all attachments of the one before", []string{`0`, `51-["e",{"_placeholder":true,"num":0}]`, `2["e"]`}},
			{"a packet that names an attachment twice, or one that it does not have", []string{`0`, `51-["e",{"_placeholder":true,"num":1}]`, "binary"}},
			{"a packet with 11 attachments, which is more than 10", []string{`0`, `511-["e"]`}},
			{"a binary packet without the number of its attachments", []string{`0`, `5["e"]`}},
			{"an attachment without a packet", []string{`0`, "binary"}},
			{"an attachment without a packet", []string{"binary"}},
		} {
			p := w.connect()
			for _, text := range test.packets {
				p.Receive([]byte(text), text == "binary")
			}
			synctest.Wait()
			p.wire.mu.Lock()
			if got := p.wire.text.String(); !p.wire.ended || !strings.HasSuffix(got, "end "+test.why+"\n") || len(test.why) > 123 {
				t.Errorf("%q: %s", test.packets, got)
			}
			p.wire.mu.Unlock()
		}
	})
}

// A page whose storage has no token sends an empty one.
func TestAnEmptyTokenIsNone(t *testing.T) {
	inWorld(t, &Server{Namespaces: []Namespace{{Name: "/"}}}, func(w *world) {
		w.config.Realms = map[string]session.Realm{"": {Verifier: new(auth.Verifier)}}
		w.registry.Apply(w.config)
		for _, token := range []string{`""`, `null`} {
			p := w.connect()
			p.say(`0{"token":` + token + `}`)
			p.hears(`40{"sid":"ID"}`)
		}
		p := w.connect()
		p.say(`0{"token":5}`)
		p.hears(`44{"message":"the token is not a text","data":{"code":"unauthorized"}}`)
	})
}
