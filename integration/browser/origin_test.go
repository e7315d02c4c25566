package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// origins are a server for its own pages alone, one for those of a third address,
// and that third address.
const origins = global + `
(pages) {
	log
	encode
	root {{pages}}
	file_server
}
(hub) {
	api_key app-key
	room chat:* {
		subscribe anyone
		publish anyone
	}
}
http://{{own}} {
	import pages
	realtime /rt {
		import hub
	}
}
http://{{named}} {
	import pages
	realtime /named {
		origins http://{{other}}
		import hub
	}
}
http://{{other}} {
	import pages
}
`

// Without the option 'origins' the pages of other origins get no connection, do not
// get to publish and cannot read answers.
func TestOtherOrigin(t *testing.T) {
	s := integration.Start(t, caddyfile(t, origins))
	base := "http://" + s.Addr("own") + "/rt"
	tab := Start(t).Open("the page of another origin", "http://"+s.Addr("other")+"/probe.html")

	tab.Run(`socket('%s')`, base)
	if c := Expect[closing](tab, "closed"); c.Code != 1006 || c.WasClean {
		t.Errorf("the WebSocket was closed with %+v", c)
	}
	wantStatus(t, s, `"method":"GET"`, `"uri":"/rt"`, 403)

	const closed = 2
	tab.Run(`stream('%s?channel=chat:x')`, base)
	if state := Expect[int](tab, "error"); state != closed {
		t.Errorf("the EventSource is in state %d", state)
	}
	wantStatus(t, s, `"method":"GET"`, `"uri":"/rt?channel=chat:x"`, 403)

	// The browser sends this without asking first, so that the server has to refuse.
	tab.Run(`fetch('%s/channels/chat:x/messages', { method: 'POST', mode: 'no-cors', body: 'spam' })`, base)
	wantStatus(t, s, `"method":"POST"`, `"uri":"/rt/channels/chat:x/messages"`, 403)

	read := `fetch('%s/channels/chat:x/messages').then(({ status }) => 'status ' + status, ({ name }) => name)`
	if answer := Eval[string](tab, read, base); answer != "TypeError" {
		t.Errorf("the history was answered with %q", answer)
	}
}

// A page of an origin that is named can do what pages of the same origin can.
func TestNamedOrigin(t *testing.T) {
	s := integration.Start(t, caddyfile(t, origins))
	base := "http://" + s.Addr("named") + "/named"
	tab := Start(t).Open("the page of another origin", "http://"+s.Addr("other")+"/probe.html")

	tab.Run(`ws = socket('%s')`, base)
	Expect[string](tab, "open")
	Expect[any](tab, "connected")
	tab.Run(`command(ws, 'ping', {})`)
	Expect[any](tab, "pong")

	tab.Run(`stream('%s?channel=chat:x', 'subscribed')`, base)
	Expect[any](tab, "open")
	Expect[any](tab, "subscribed")
	post := `fetch('%s/channels/chat:x/messages', {
		method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"content": "hello"}',
	}).then(({ status }) => status)`
	if status := Eval[int](tab, post, base); status != 200 {
		t.Errorf("publishing was answered with %d", status)
	}
	if m := Expect[event](tab, "message").message(t); m.Content != `"hello"` {
		t.Errorf("got %+v", m)
	}
}

// wantStatus looks for the answer to a request in the access log.
func wantStatus(t *testing.T, s *integration.Caddy, method, uri string, status int) {
	t.Helper()
	line := s.WaitLog(uri)
	if !strings.Contains(line, method) || !strings.Contains(line, fmt.Sprintf(`"status":%d,`, status)) {
		t.Errorf("not answered with %d: %s", status, line)
	}
}
