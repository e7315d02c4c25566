package socketio

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// The rules of the chat tutorial, and each other verb.
func TestRelay(t *testing.T) {
	rules := []Rule{
		{Event: "chat message", Do: All}, {Event: "typing", Do: Others}, {Event: "room message", Do: ToRoom}, {Event: "last", Do: ToRoom, Argument: 1},
		{Event: "join", Do: Join}, {Event: "leave", Do: Leave}, {Event: "echo", Do: Reply}, {Event: "echo as", Do: Reply, As: "echoed"}, {Event: "ack", Do: Ack},
		{Event: "private *", Do: Deny},
	}
	inWorld(t, &Server{Namespaces: []Namespace{{Name: "/", Rules: rules}, {Name: "/admin", Rules: rules}}}, func(w *world) {
		a, b := w.joins(), w.joins()
		say := func(text string, toA, toB []string) {
			t.Helper()
			a.say(text)
			a.hears(toA...)
			b.hears(toB...)
		}
		ok := func(id string) string { return "43" + id + `[{"ok":true}]` }
		say(`2["chat message","hello \u00fc",{"z":1.0,"a":null}]`, []string{`42["chat message","hello \u00fc",{"z":1.0,"a":null}]`}, []string{`42["chat message","hello \u00fc",{"z":1.0,"a":null}]`})
		say(`21["chat message","x"]`, []string{`42["chat message","x"]`, ok("1")}, []string{`42["chat message","x"]`})
		say(`22["typing"]`, []string{ok("2")}, []string{`42["typing"]`})
		say(`2["typing",[1,2]]`, nil, []string{`42["typing",[1,2]]`})

		b.say(`20["join","open:1"]`)
		b.hears(`430[{"ok":true,"room":"open:1"}]`)
		say(`23["room message","open:1","hi",2]`, []string{ok("3")}, []string{`42["room message","hi",2]`})
		say(`2["last","hi","open:1"]`, nil, []string{`42["last","hi"]`})
		b.say(`21["leave","open:1"]`)
		b.hears(ok("1"))
		say(`2["room message","open:1","hi"]`, nil, nil)

		say(`24["echo",1,{"b":1,"a":2}]`, []string{`42["echo",1,{"b":1,"a":2}]`, ok("4")}, nil)
		say(`2["echo as",1]`, []string{`42["echoed",1]`}, nil)
		say(`25["ack",1,"2"]`, []string{`435[1,"2"]`}, nil)
		say(`26["private x"]`, []string{`436[{"ok":false,"error":{"code":"forbidden","message":"clients may not send the event \"private x\""}}]`}, nil)
		say(`27["room message","io:/",1]`, []string{`437[{"ok":false,"error":{"code":"bad_room","message":"the room \"io:/\" belongs to the server"}}]`}, nil)
		say(`28["join","admin:open:1"]`, []string{`438[{"ok":false,"error":{"code":"bad_room","message":"the room \"admin:open:1\" belongs to the server"}}]`}, nil)
		say(`29["join",{}]`, []string{`439[{"ok":false,"error":{"code":"bad_room","message":"an argument must name the room"}}]`}, nil)
		say(`210["join","open:*"]`, []string{`4310[{"ok":false,"error":{"code":"bad_room","message":"channel name \"open:*\" must not contain '*'"}}]`}, nil)
		say(`211["join","closed"]`, []string{`4311[{"ok":false,"error":{"code":"forbidden","message":"you may not subscribe to this channel"}}]`}, nil)

		// A namespace has rooms of its own.
		a.say(`0/admin,`)
		a.say(`2/admin,1["join","open:1"]`)
		b.say(`2["room message","open:1","hi"]`)
		a.hears(`40/admin,{"sid":"ID"}`, `43/admin,1[{"ok":true,"room":"open:1"}]`)
		w.publish(protocol.Publish{Channel: "admin:open:1", Event: "e", Content: []byte(`1`)})
		a.hears(`42/admin,["e",1]`)
	})
}

func TestBinaryEvents(t *testing.T) {
	rules := []Rule{{Event: "all", Do: All}, {Event: "echo", Do: Reply}, {Event: "ack", Do: Ack}, {Event: "no", Do: Deny}}
	inWorld(t, &Server{Namespaces: []Namespace{{Name: "/", Rules: rules}}}, func(w *world) {
		a, b := w.joins(), w.joins()
		send := func(text string, data ...string) {
			a.say(text)
			for _, d := range data {
				a.Receive([]byte(d), true)
			}
		}
		two := `{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}`
		send(`52-["all",`+two+`]`, "\x01\x02", "\x03")
		b.hears(`452-["all",`+two+`]`, "binary 0102", "binary 03")
		a.hears(`452-["all",`+two+`]`, "binary 0102", "binary 03")
		send(`51-7["echo",{"_placeholder":true,"num":0}]`, "\x01")
		a.hears(`451-["echo",{"_placeholder":true,"num":0}]`, "binary 01", `437[{"ok":true}]`)
		send(`51-7["ack",{"_placeholder":true,"num":0}]`, "\x01")
		a.hears(`461-7[{"_placeholder":true,"num":0}]`, "binary 01")
		send(`51-7["no",{"_placeholder":true,"num":0}]`, "\x01")
		a.hears(`437[{"ok":false,"error":{"code":"forbidden","message":"clients may not send the event \"no\""}}]`)
		// One that is too large is rejected with all that belongs to it, and the connection stays.
		large := strings.Repeat("x", 3<<10)
		send(`52-8["all",`+two+`]`, large, large)
		a.hears(`438[{"ok":false,"error":{"code":"too_large","message":"a packet with its attachments is larger than 4096 bytes"}}]`)
		send(`51-9["all",{"_placeholder":true,"num":0}]`, large+"xxx")
		a.hears(`439[{"ok":false,"error":{"code":"too_large","message":"the event is larger than 4096 bytes with its attachments in base64"}}]`)
		b.hears()
	})
}

func TestRoomsProfile(t *testing.T) {
	inWorld(t, &Server{Namespaces: []Namespace{{Name: "/", Rooms: true}}}, func(w *world) {
		a, b := w.joins(), w.joins()
		a.say(`21["join","kept:1"]`)
		b.say(`21["join",{"room":"kept:1"}]`)
		time.Sleep(time.Second)
		position := func(p *peer) string {
			p.wire.mu.Lock()
			defer p.wire.mu.Unlock()
			text := p.wire.text.String()
			p.wire.text.Reset()
			_, after, _ := strings.Cut(text, `"position":"`)
			at, _, found := strings.Cut(after, `"`)
			if !found || !strings.HasPrefix(text, `431[{"ok":true,"room":"kept:1","position":"`) {
				t.Fatal(text)
			}
			return at
		}
		zero := position(a)
		if position(b) != zero {
			t.Error("two clients have joined at different positions")
		}
		epoch, _, _ := strings.Cut(zero, ".")

		a.say(`22["message","kept:1",{"text":"hi"}]`)
		heard := func(p *peer) string {
			p.wire.mu.Lock()
			defer p.wire.mu.Unlock()
			text := strings.TrimSuffix(p.wire.text.String(), "\n")
			p.wire.text.Reset()
			return text
		}
		message, ack := heard(b), heard(a)
		if !strings.HasPrefix(message, `42["message",{"text":"hi"},{"room":"kept:1","id":"`+epoch+`.1.`) || !strings.Contains(message, `"from":{"id":"`+a.Conn().ID()+`"}`) ||
			!strings.HasPrefix(ack, `432[{"ok":true,"id":"`+epoch+`.1.`) {
			t.Errorf("%s\n%s", message, ack)
		}
		w.publish(protocol.Publish{Channel: "kept:1", Event: "news", Content: []byte(`[1,2]`), Tags: []byte(`{"socketio":"args"}`)})
		if got := heard(a); !strings.HasPrefix(got, `42["news",1,2,{"room":"kept:1","id":"`) || !strings.HasSuffix(got, "}]") {
			t.Error(got)
		}
		heard(b)

		c := w.joins()
		c.say(`21["join",{"room":"kept:1","since":"` + zero + `"}]`)
		if got := heard(c); strings.Count(got, `"event":`) != 2 || !strings.Contains(got, `"history":[{"event":"message","args":[{"text":"hi"}],"meta":{"room":"kept:1","id":"`) ||
			!strings.Contains(got, `{"event":"news","args":[1,2],"meta":{`) || strings.Contains(got, "lost") {
			t.Error(got)
		}
		c.say(`22["leave","kept:1"]`)
		c.say(`23["leave","kept:1"]`)
		c.say(`24["message","kept:1",1]`)
		c.say(`25["join",{"room":"kept:1","history":1}]`)
		c.say(`26["presence","kept:1"]`)
		c.say(`27["join",{"room":"kept:1","since":"other.1"}]`)
		want := []string{`432[{"ok":true}]`, `433[{"ok":false,"error":{"code":"not_in_room"`, `434[{"ok":false,"error":{"code":"not_in_room"`, `435[{"ok":true,"room":"kept:1","position":"`,
			`436[{"ok":false,"error":{"code":"forbidden"`, `437[{"ok":true,"room":"kept:1","position":"`}
		for i, line := range strings.Split(heard(c), "\n") {
			if i >= len(want) || !strings.HasPrefix(line, want[i]) {
				t.Errorf("line %d is %s", i, line)
			}
		}
		c.say(`28["join",{"room":"kept:2","since":"` + epoch + `.1"}]`)
		if got := heard(c); !strings.Contains(got, `"lost":true,"history":[]`) {
			t.Error(got)
		}
	})
}

func TestMembers(t *testing.T) {
	inWorld(t, &Server{Namespaces: []Namespace{{Name: "/", Rooms: true}}}, func(w *world) {
		a, b := w.joins(), w.joins()
		a.say(`21["join","with:1"]`)
		time.Sleep(time.Second)
		a.hears(`431[{"ok":true,"room":"with:1","members":[{"id":"ID"}]}]`)
		b.say(`21["join","with:1"]`)
		time.Sleep(time.Second)
		a.hears(`42["presence:join",{"id":"` + b.Conn().ID() + `"},{"room":"with:1"}]`)
		if first := min(a.Conn().ID(), b.Conn().ID()); first == b.Conn().ID() {
			b.hears(`431[{"ok":true,"room":"with:1","members":[{"id":"ID"},{"id":"` + a.Conn().ID() + `"}]}]`)
		} else {
			b.hears(`431[{"ok":true,"room":"with:1","members":[{"id":"` + a.Conn().ID() + `"},{"id":"ID"}]}]`)
		}
		b.say(`22["join","with:1"]`) // again
		time.Sleep(time.Second)
		b.say(`23["leave","with:1"]`)
		time.Sleep(time.Second)
		a.hears(`42["presence:leave",{"id":"` + b.Conn().ID() + `"},{"room":"with:1"}]`)
		a.say(`22["presence","with:1"]`)
		time.Sleep(time.Second)
		a.hears(`432[{"ok":true,"members":[{"id":"ID"}]}]`)
	})
}
