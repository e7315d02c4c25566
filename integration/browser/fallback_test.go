package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// middlebox is a proxy in front of the site that does not let WebSockets through,
// but streams.
const middlebox = `
http://{{proxy}} {
	@websocket header Upgrade websocket
	respond @websocket 403
	reverse_proxy {{site}}
}
`

// window is the same proxy when it has learned of WebSockets.
var window = strings.Replace(middlebox, "respond @websocket 403", "", 1)

// Where a proxy lets no WebSocket through, the client does everything over an event
// stream and requests, and the page knows.
func TestClientBehindMiddlebox(t *testing.T) {
	s := integration.Start(t, caddyfile(t, chat+middlebox))
	browser := Start(t)
	ann := browser.visitor("ann", "http://"+s.Addr("site"), "")
	bob := browser.visitor("bob", "http://"+s.Addr("proxy"), "")
	ann.Run(`hall = join(client, 'hall:x')`)
	Await[any](ann, "sync")

	if o := Await[state](bob, "open"); o.Transport != "sse" {
		t.Errorf("connected by %s", o.Transport)
	}
	// The set of channels changes while the stream is there.
	bob.Run(`hall = join(client, 'hall:x')`)
	Await[any](bob, "subscribed")
	if members := Await[[]string](bob, "sync"); len(members) != 2 {
		t.Errorf("the members are %v", members)
	}
	if user := Await[string](ann, "enter"); user != "bob" {
		t.Errorf("%s has entered", user)
	}
	for _, tab := range []*Tab{ann, bob} {
		tab.Run(`chat = join(client, 'chat:x')`)
		Await[any](tab, "subscribed")
	}
	for _, from := range []*Tab{bob, ann} {
		from.Run(`chat.publish('from %s')`, from.name)
		for _, tab := range []*Tab{ann, bob} {
			m := Await[message](tab, "message")
			if m.Sender != from.name || m.Content != raw(`"from `+from.name+`"`) {
				t.Errorf("%s got %+v from %s", tab.name, m, from.name)
			}
		}
	}
}

// When WebSockets get through again the client changes over to one, and misses
// nothing.
func TestClientBackToWebSocket(t *testing.T) {
	s := integration.Start(t, caddyfile(t, chat+middlebox))
	app := publisher{t, "http://" + s.Addr("site") + "/rt"}
	tab := Start(t).visitor("ann", "http://"+s.Addr("proxy"), "")
	if o := Await[state](tab, "open"); o.Transport != "sse" {
		t.Errorf("connected by %s", o.Transport)
	}
	tab.Run(`chat = join(client, 'chat:x')`)
	Await[any](tab, "subscribed")
	app.publish("chat:x", `{"content": 1}`)
	if m := Expect[message](tab, "message"); m.Offset != 1 {
		t.Errorf("got %+v", m)
	}
	s.Reload(caddyfile(t, chat+window))
	if o := Await[state](tab, "reconnecting"); o.Transport != "websocket" {
		t.Errorf("reconnecting by %s", o.Transport)
	}
	app.publish("chat:x", `{"content": 2}`)
	Await[state](tab, "open")
	Await[any](tab, "subscribed")
	app.publish("chat:x", `{"content": 3}`)
	for offset := uint64(2); offset <= 3; offset++ {
		if m := Expect[message](tab, "message"); m.Offset != offset {
			t.Errorf("got %+v instead of offset %d", m, offset)
		}
	}
}

// Two visitors whose proxy lets no WebSocket through change one board at the same time,
// each seeing at once what they do themselves.
func TestExampleTodoBehindMiddlebox(t *testing.T) {
	s := integration.Start(t, example(t, "todo")+middlebox)
	browser := Start(t)
	ann := browser.Open("ann", "http://"+s.Addr("proxy")+"/?name=Ann")
	bob := browser.Open("bob", "http://"+s.Addr("proxy")+"/?name=Bob")
	for _, tab := range []*Tab{ann, bob} {
		tab.shows("#status", "saved")
		tab.Run(enter)
	}
	ann.addCard("todo", "Cake")
	ann.showsBoard("todo: Cake; doing: ; done: ")
	bob.showsBoard("todo: Cake; doing: ; done: ")
	for n := range 8 {
		ann.addCard("doing", fmt.Sprint("a", n))
		bob.addCard("done", fmt.Sprint("b", n))
		ann.rename("Cake", "Cake "+strings.Repeat("!", n+1))
		ann.rename("Cake "+strings.Repeat("!", n+1), "Cake")
	}
	both := func(board string) {
		t.Helper()
		for _, tab := range []*Tab{ann, bob} {
			tab.showsBoard(board)
			tab.shows("#status", "saved")
		}
	}
	both("todo: Cake; doing: a0, a1, a2, a3, a4, a5, a6, a7; done: b0, b1, b2, b3, b4, b5, b6, b7")
	bob.Run(`%s.querySelector('.back').click()`, card("b7"))
	both("todo: Cake; doing: a0, a1, a2, a3, a4, a5, a6, a7, b7; done: b0, b1, b2, b3, b4, b5, b6")
	for range 2 {
		bob.Run(`document.querySelector('#undo').click()`)
	}
	both("todo: Cake; doing: a0, a1, a2, a3, a4, a5, a6, a7; done: b0, b1, b2, b3, b4, b5, b6")
}
