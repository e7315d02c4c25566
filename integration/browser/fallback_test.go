package browser

import (
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
