package browser

import (
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// WebSockets, over each version of HTTP that a browser uses for them, through all
// that Caddy can have on the way.
func TestWebSocket(t *testing.T) {
	for _, c := range []struct {
		name   string
		env    []string
		flags  func(addr string) []Flag
		access string
		option string
	}{
		{
			name:   "HTTP/1.1",
			flags:  func(string) []Flag { return []Flag{NoQUIC} },
			access: `"proto":"HTTP/1.1","method":"GET"`,
		},
		{
			name:   "compressed",
			flags:  func(string) []Flag { return []Flag{NoQUIC} },
			access: `"Sec-Websocket-Extensions":["permessage-deflate; server_no_context_takeover; client_no_context_takeover"]`,
			option: "compression",
		},
		{
			name:   "HTTP/2",
			env:    []string{"GODEBUG=http2xconnect=1"},
			flags:  func(string) []Flag { return []Flag{NoQUIC} },
			access: `"proto":"HTTP/2.0","method":"CONNECT"`,
		},
		{
			name: "HTTP/3",
			flags: func(addr string) []Flag {
				return []Flag{{"origin-to-force-quic-on", addr}, {"enable-features", "EnableWebsocketsOverHttp3"}}
			},
			access: `"proto":"websocket","method":"CONNECT"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := integration.StartProcess(t, caddyfile(t, global+`
				https://{{site}} {
					`+around+`
					realtime /rt {
						`+c.option+`
						room chat:* {
							subscribe anyone
							publish anyone
							history 10
						}
					}
				}
			`), c.env...)
			p.WaitLog(served)
			addr := p.Addr("site")
			tab := StartAlone(t, append(c.flags(addr), Trusting(t, addr))...).Open("the page", "https://"+addr+"/probe.html")
			converse(t, tab)
			if line := p.WaitLog(c.access); !strings.Contains(line, `"X-Late":["yes"]`) {
				t.Errorf("the answer to the handshake has lost headers: %s", line)
			}
		})
	}
}

// converse opens a WebSocket, has a conversation and closes it.
func converse(t *testing.T, tab *Tab) {
	t.Helper()
	tab.Run(`ws = socket('/rt')`)
	if protocol := Expect[string](tab, "open"); protocol != "realtime.v1" {
		t.Errorf("the subprotocol is %q", protocol)
	}
	if c := Expect[struct{ Connection string }](tab, "connected"); c.Connection == "" {
		t.Error("the connection has no id")
	}
	tab.Run(`command(ws, 'subscribe', { channel: 'chat:x' })`)
	Expect[message](tab, "subscribed")
	tab.Run(`command(ws, 'message', { channel: 'chat:x', content: { text: 'héllo ✓' } })`)
	m := Await[message](tab, "message")
	if m.Content != `{"text":"héllo ✓"}` || m.Offset != 1 {
		t.Errorf("received %+v", m)
	}
	tab.Run(`command(ws, 'message', { channel: 'chat:x', content: 'so much to say '.repeat(1000) })`)
	if m := Await[message](tab, "message"); string(m.Content) != `"`+strings.Repeat("so much to say ", 1000)+`"` {
		t.Errorf("received %d bytes", len(m.Content))
	}
	tab.Run(`ws.close(1000, 'enough')`)
	if c := Await[closing](tab, "closed"); c.Code != 1000 || !c.WasClean {
		t.Errorf("closed with %+v", c)
	}
}

// closing is how a WebSocket ended.
type closing struct {
	Code     int
	Reason   string
	WasClean bool
}
