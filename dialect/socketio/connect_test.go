package socketio

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
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

// What breaks a rule of the protocol closes the connection, whatever is open.
func TestBrokenRules(t *testing.T) {
	s := &Server{Namespaces: []Namespace{{Name: "/", Rules: []Rule{echo("*")}}, {Name: "/admin"}}}
	inWorld(t, s, func(w *world) {
		for _, packets := range [][]string{
			{"2[]"}, {"no"}, {`4"x"`},
			{`2["e"]`},             // before CONNECT
			{`0`, `0`},             // twice
			{`0`, `2/admin,["e"]`}, // of a namespace that is not joined
			{`0`, `1`, `2["e"]`},   // after DISCONNECT
			{`0`, `51-["e",{"_placeholder":true,"num":0}]`, `2["e"]`}, // between packet and attachment
			{`0`, `51-["e",{"_placeholder":true,"num":1}]`, "binary"},
			{`0`, "binary"},
			{"binary"},
		} {
			p := w.connect()
			for _, text := range packets {
				p.Receive([]byte(text), text == "binary")
			}
			synctest.Wait()
			p.wire.mu.Lock()
			if !p.wire.ended {
				t.Errorf("%q: the connection stays", packets)
			}
			p.wire.mu.Unlock()
		}
	})
}
