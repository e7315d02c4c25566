package socketio

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// said returns what the client has been sent since the last time.
func (p *peer) said() string {
	synctest.Wait()
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	defer p.wire.text.Reset()
	return strings.TrimSuffix(p.wire.text.String(), "\n")
}

// A client that is in the room already gets the answer of a new join.
func TestJoinAgainAnswersWithTheHistory(t *testing.T) {
	rules := []Rule{{Event: "enter", Do: Join}}
	inWorld(t, &Server{Namespaces: []Namespace{{Name: "/", Rooms: true, Rules: rules}}}, func(w *world) {
		for _, content := range []string{`"a"`, `"b"`, `"c"`} {
			w.publish(protocol.Publish{Channel: "kept:1", Content: []byte(content)})
		}
		again, anew := w.joins(), w.joins()
		again.say(`20["enter","kept:1"]`)
		first := again.said()
		_, since, _ := strings.Cut(first, `"position":"`)
		since, _, _ = strings.Cut(since, `"`)
		w.publish(protocol.Publish{Channel: "kept:1", Content: []byte(`"d"`)})
		again.said()
		for _, argument := range []string{`"kept:1"`, `{"room":"kept:1","history":2}`, `{"room":"kept:1","history":1000}`, `{"room":"kept:1","since":"` + since + `"}`, `{"room":"kept:1","since":"other.1"}`} {
			again.say(`21["join",` + argument + `]`)
			anew.say(`21["join",` + argument + `]`)
			got, want := again.said(), anew.said()
			if got != want || !strings.Contains(got, `"position":"`) || strings.Contains(argument, "history") && !strings.Contains(got, `"args":["d"]`) {
				t.Errorf("%s:\n%s\nand anew\n%s", argument, got, want)
			}
			anew.say(`22["leave",{"room":"kept:1"}]`)
			anew.hears(`432[{"ok":true}]`)
		}
		// The rejoined client stays in the room, and gets each message once.
		w.publish(protocol.Publish{Channel: "kept:1", Content: []byte(`"e"`)})
		if got := again.said(); strings.Count(got, `["message","e",`) != 1 {
			t.Error(got)
		}
	})
}

// In a room with members the answer has both.
func TestJoinAgainAnswersWithMembersAndHistory(t *testing.T) {
	inWorld(t, &Server{Prefix: "r.", Namespaces: []Namespace{{Name: "/", Rooms: true}}}, func(w *world) {
		w.publish(protocol.Publish{Channel: "r.with:1", Content: []byte(`1`)})
		p := w.connect()
		p.say("0")
		p.said()
		p.say(`21["join","with:1"]`)
		time.Sleep(time.Second)
		p.said()
		p.say(`22["join",{"room":"with:1","history":5}]`)
		time.Sleep(time.Second)
		if got := p.said(); !strings.Contains(got, `"members":[{"id":"`+p.Conn().ID()) || !strings.Contains(got, `"history":[{"event":"message","args":[1]`) {
			t.Error(got)
		}
	})
}

// The error says which part of an argument is wrong.
func TestArgumentsOfTheRoomsProfile(t *testing.T) {
	inWorld(t, &Server{Namespaces: []Namespace{{Name: "/", Rooms: true}}}, func(w *world) {
		p := w.joins()
		failure := func(code, message string) string {
			return `431[{"ok":false,"error":{"code":"` + code + `","message":"` + message + `"}}]`
		}
		since := failure("invalid_message", "since is a text: the id of a message, or the position of an earlier answer")
		history := failure("invalid_message", "history is a number from 0 to 1000")
		for call, want := range map[string]string{
			`["join"]`:                                  failure("bad_room", "an argument must name the room"),
			`["join",5]`:                                failure("bad_room", "an argument must name the room"),
			`["join",{}]`:                               failure("bad_room", "the member room of the argument must be a text, the name of the room"),
			`["leave",{"room":5}]`:                      failure("bad_room", "the member room of the argument must be a text, the name of the room"),
			`["join",{"room":"open:1","since":5}]`:      since,
			`["join",{"room":"open:1","since":"x"}]`:    since,
			`["join",{"room":"open:1","history":"x"}]`:  history,
			`["join",{"room":"open:1","history":-1}]`:   history,
			`["join",{"room":"open:1","history":1001}]`: history,
			`["leave",{"room":"open:1"}]`:               failure("not_in_room", "not subscribed to this channel"),
			`["message",{"room":"open:1"},1]`:           failure("not_in_room", "join the room first"),
		} {
			p.say("21" + call)
			if got := p.said(); got != want {
				t.Errorf("%s: %s", call, got)
			}
			time.Sleep(time.Minute)
		}
		p.say(`21["join",{"room":"open:1","history":null,"since":null}]`)
		p.hears(`431[{"ok":true,"room":"open:1"}]`)
		p.say(`21["message",{"room":"open:1"},1]`)
		p.hears(`431[{"ok":true}]`)
	})
}
