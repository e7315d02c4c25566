package browser

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// places are sites where the browser client finds its endpoint, or does not. Pages of
// the site `page` belong to another origin than the endpoints of `hub`.
const places = global + `
(pages) {
	log
	root {{pages}}
	file_server
}
(room) {
	room chat:* {
		subscribe anyone
		publish anyone
		history 10
	}
}
http://{{page}} {
	import pages
}
http://{{hub}} {
	handle_path /deep/rt/* {
		realtime / {
			import room
		}
	}
	handle_path /named/* {
		realtime / {
			hub named
			origins https://app.example.com
			import room
		}
	}
	handle_path /open/* {
		realtime / {
			origins http://{{page}} http://{{hub}}
			import room
		}
	}
	import pages
}
`

// A client that the server delivered below a path of its own finds back to where it came
// from, by either transport, although the site answers only what lies below the path.
func TestClientBelowStrippedPath(t *testing.T) {
	s := integration.Start(t, caddyfile(t, places))
	browser, base := Start(t), "http://"+s.Addr("hub")
	for _, transport := range []string{"websocket", "sse"} {
		tab := browser.Open(transport, base+"/probe.html")
		tab.Run(`import('/deep/rt/client.js').then(({ connect }) => {
			client = connect(undefined, { transport: '%s' });
			chat = client.subscribe('chat:x');
			chat.on('message', ({ content }) => note('message', content));
			chat.on('state', ({ state }) => note(state));
		})`, transport)
		Await[any](tab, "subscribed")
		tab.Run(`chat.publish('hello')`)
		if got := Await[string](tab, "message"); got != "hello" {
			t.Errorf("%s: got %q", transport, got)
		}
	}
}

// verdict is how a client ended, and what the console says.
type verdict struct {
	Code     any
	Message  string
	Attempts int
	Said     []string
}

// The client says once what is wrong with an address that can not work, in the event and
// in the console, and does not try for ever.
func TestClientWrongAddress(t *testing.T) {
	s := integration.Start(t, caddyfile(t, places))
	browser := Start(t)
	hub, page := "http://"+s.Addr("hub"), "http://"+s.Addr("page")
	for _, c := range []struct {
		name, page, url string
		code            any
		message         []string
	}{
		{"wrong path", hub, "/nowhere", 404.0, []string{hub + "/nowhere", "404"}},
		{"missing slash", hub, "/deep/rt", 404.0, []string{hub + "/deep/rt", "404"}},
		{"a page", hub, "/probe.html", 200.0, []string{hub + "/probe.html", "200"}},
		{"foreign origin", page, hub + "/deep/rt/", "FORBIDDEN", []string{page, hub + "/deep/rt/", "'origins'"}},
		{"origin of its own host that is not named", hub, "/named/", "FORBIDDEN", []string{hub + "/named/", "'origins'"}},
	} {
		for _, transport := range []string{"auto", "websocket", "sse"} {
			if c.url == "/named/" && transport == "sse" {
				continue // a browser reads a stream of the page's own host without saying an origin
			}
			t.Run(c.name+" "+transport, func(t *testing.T) {
				tab := browser.Open(c.name, c.page+"/probe.html")
				v := tab.verdict(hub+"/deep/rt/client.js", c.url, transport)
				if v.Code != c.code || v.Attempts > 2 || len(v.Said) != 1 || !strings.Contains(v.Said[0], v.Message) {
					t.Errorf("%+v", v)
				}
				for _, want := range c.message {
					if !strings.Contains(v.Message, want) {
						t.Errorf("%q does not say %s", v.Message, want)
					}
				}
			})
		}
	}
}

// verdict connects to an address and waits for the end.
func (p *Tab) verdict(script, url, transport string) verdict {
	p.t.Helper()
	return Eval[verdict](p, `import('%s').then(({ Realtime }) => new Promise((resolve) => {
		const said = [];
		console.error = (text) => said.push(text);
		let attempts = 1;
		const client = new Realtime('%s', { transport: '%s', minDelay: 5000 });
		client.on('state', ({ state, reason, retryIn }) => {
			if (state === 'reconnecting' && retryIn === undefined) attempts++;
			if (state !== 'closed') return;
			resolve({ Code: reason.code, Message: reason.message, Attempts: attempts, Said: said });
		});
		client.connect();
	}))`, script, url, transport)
}

// A page of another origin that is let in has no such trouble.
func TestClientRightAddressElsewhere(t *testing.T) {
	s := integration.Start(t, caddyfile(t, places))
	browser, hub := Start(t), "http://"+s.Addr("hub")
	for _, transport := range []string{"auto", "sse"} {
		tab := browser.Open(transport, "http://"+s.Addr("page")+"/probe.html")
		tab.Run(`import('%s/open/client.js').then(({ connect }) => {
			client = connect(undefined, { transport: '%s' });
			client.subscribe('chat:x').on('state', ({ state }) => note(state));
		})`, hub, transport)
		Await[any](tab, "subscribed")
	}
}
