package browser

import (
	"encoding/json"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// event is an event as a page's EventSource hands it over.
type event struct{ Data, LastEventID string }

// message takes the payload out of an envelope, which is the data of most events.
func (e event) message(t testing.TB) message {
	t.Helper()
	var envelope struct{ Payload message }
	if err := json.Unmarshal([]byte(e.Data), &envelope); err != nil {
		t.Fatalf("%v in %q", err, e.Data)
	}
	return envelope.Payload
}

// streams is one hub at three addresses: over HTTP/1.1, where the connection is
// taken over; the same with all there is in Caddy around it; and that over HTTP/2.
// Heartbeats are so rare that none of them can push out what waits in a buffer.
const streams = global + `
(hub) {
	realtime /rt {
		heartbeat 10m
		api_key app-key
		room news:* {
			subscribe anyone
			history 10
		}
	}
}
http://{{bare}} {
	root {{pages}}
	file_server
	import hub
}
http://{{wrapped}} {
	` + around + `
	import hub
}
https://{{tls}} {
	` + around + `
	import hub
}
`

// What is published arrives at once, in one stream for several channels, whatever
// stands between the stream and the browser.
func TestEventStream(t *testing.T) {
	s := integration.Start(t, caddyfile(t, streams))
	s.WaitLog(served)
	app := publisher{t, "http://" + s.Addr("bare") + "/rt"}
	browser := StartAlone(t, NoQUIC, Trusting(t, s.Addr("tls")))
	for _, base := range []string{"http://" + s.Addr("bare"), "http://" + s.Addr("wrapped"), "https://" + s.Addr("tls")} {
		tab := browser.Open(base, base+"/probe.html")
		tab.Run(`stream('/rt?channel=news:a&channel=news:b', 'connected', 'subscribed', 'important')`)
		for _, kind := range []string{"open", "connected", "subscribed", "subscribed"} {
			Expect[any](tab, kind)
		}
		app.publish("news:a", `{"content": "first"}`)
		if m := Expect[event](tab, "message").message(t); m.Channel != "news:a" || m.Content != `"first"` {
			t.Errorf("%s: got %+v", base, m)
		}
		app.publish("news:b", `{"content": {"n": 2}, "event": "important"}`)
		if m := Expect[event](tab, "important").message(t); m.Channel != "news:b" || m.Content != `{"n":2}` {
			t.Errorf("%s: got %+v", base, m)
		}
		// A compressed stream would cost megabytes on the server.
		if coding := Eval[string](tab, coding, "/rt?channel=news:a"); coding != "none" {
			t.Errorf("%s: the stream is encoded with %s", base, coding)
		}
		tab.Close()
	}
}

// coding opens a stream in a page, for as long as it takes to see how it is encoded.
const coding = `(async () => {
	const abort = new AbortController();
	const response = await fetch('%s', { headers: { accept: 'text/event-stream' }, signal: abort.signal });
	abort.abort();
	return response.headers.get('content-encoding') ?? 'none';
})()`

// With format=content a page gets what was published and no envelope, strings as
// they are.
func TestEventStreamContent(t *testing.T) {
	s := integration.Start(t, caddyfile(t, streams))
	base := "http://" + s.Addr("wrapped")
	app := publisher{t, base + "/rt"}
	tab := Start(t).Open("the page", base+"/probe.html")
	tab.Run(`stream('/rt?channel=news:a&format=content', 'subscribed', 'row')`)
	Expect[any](tab, "open")
	Expect[any](tab, "subscribed")
	for _, c := range []struct{ publish, kind, data string }{
		{`{"content": "<li>one</li>\n<li>two</li>", "event": "row"}`, "row", "<li>one</li>\n<li>two</li>"},
		{`{"content": "a \"quoted\" ✓"}`, "message", `a "quoted" ✓`},
		{`{"content": {"n": 2}}`, "message", `{"n":2}`},
		{`{"content": null}`, "message", `null`},
	} {
		app.publish("news:a", c.publish)
		if e := Expect[event](tab, c.kind); e.Data != c.data || e.LastEventID == "" {
			t.Errorf("%s arrived as %+v", c.publish, e)
		}
	}
}

// A browser whose server is killed comes back by itself. Where the server has lost
// the history it says so, and then there are new messages.
func TestEventStreamServerKilled(t *testing.T) {
	p := integration.StartProcess(t, caddyfile(t, streams))
	base := "http://" + p.Addr("bare")
	app := publisher{t, base + "/rt"}
	tab := Start(t).Open("the page", base+"/probe.html")
	tab.Run(`stream('/rt?channel=news:a&channel=news:b', 'subscribed', 'gap')`)
	for _, kind := range []string{"open", "subscribed", "subscribed"} {
		Expect[any](tab, kind)
	}
	app.publish("news:a", `{"content": 1}`)
	before := Expect[event](tab, "message").message(t)

	p.Kill()
	const connecting = 0
	for range 2 { // the loss, and at least one attempt that fails
		if state := Expect[int](tab, "error"); state != connecting {
			t.Fatalf("the EventSource is in state %d", state)
		}
	}
	p.Start()
	Await[any](tab, "open")
	gaps := make(map[string]bool)
	for len(gaps) < 2 {
		m := Await[event](tab, "gap").message(t)
		gaps[m.Channel] = true
		if m.Epoch == before.Epoch {
			t.Errorf("the gap %+v is in the epoch of the killed server", m)
		}
	}
	app.publish("news:b", `{"content": 2}`)
	if m := Expect[event](tab, "message").message(t); m.Channel != "news:b" || m.Offset != 1 {
		t.Errorf("got %+v", m)
	}
}

// A browser that loses its connection, but not its server, gets what it missed.
func TestEventStreamResumes(t *testing.T) {
	s := integration.Start(t, caddyfile(t, streams))
	line := newLine(t, s.Addr("bare"))
	base := "http://" + line.addr
	app := publisher{t, "http://" + s.Addr("bare") + "/rt"}
	tab := Start(t).Open("the page", base+"/probe.html")
	tab.Run(`stream('/rt?channel=news:a&channel=news:b', 'subscribed', 'gap')`)
	for _, kind := range []string{"open", "subscribed", "subscribed"} {
		Expect[any](tab, kind)
	}
	app.publish("news:a", `{"content": "before"}`)
	Expect[event](tab, "message")
	line.cut()
	Expect[any](tab, "error")
	app.publish("news:a", `{"content": "missed"}`)
	app.publish("news:b", `{"content": "missed"}`)
	line.mend()
	Await[any](tab, "open")
	missed := make(map[string]bool)
	for range 2 {
		n := tab.next(func(n Note) bool { return n.Kind == "message" || n.Kind == "gap" }, "message")
		m := decode[event](tab, n).message(t)
		missed[m.Channel] = n.Kind == "message" && m.Content == `"missed"`
	}
	if !missed["news:a"] || !missed["news:b"] {
		t.Errorf("what was missed: %v", missed)
	}
}
