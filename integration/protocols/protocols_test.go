package protocols

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// chain is a site that has around the WebSocket whatever wraps a response, and
// timeouts that are over soon.
const chain = `
{
	metrics
	servers {
		timeouts {
			read_body_idle 1s
			write_idle 1s
		}
	}
}
https://{{site}} {
	log
	encode zstd gzip
	header X-Early yes
	header >X-Late yes
	realtime /rt {
		room chat:* {
			subscribe anyone
			publish anyone
			history 10
		}
	}
	reverse_proxy /silent http://{{silent}}
	reverse_proxy http://{{app}}
}
http://{{app}} {
	respond "the app"
}
`

// certified is what Caddy logs, at some time after the start, when it serves the
// certificate of the site.
const certified = "added certificate to cache"

func start(t *testing.T) *integration.Caddy {
	t.Helper()
	c := integration.Start(t, chain)
	c.WaitLog(certified)
	return c
}

// The answer to the handshake passes through the whole chain, and the frames past
// it.
func TestWebSocketBehindEverything(t *testing.T) {
	c := start(t)
	for _, d := range dialers {
		w, res := d.dial(t, c.Addr("site"))
		w.name = d.name
		if res.StatusCode != d.status || res.Header.Get("X-Early") != "yes" || res.Header.Get("X-Late") != "yes" ||
			res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %s %v", d.name, res.Status, res.Header)
		}
		w.subscribe("chat:one")
		w.send(opClose, "\x03\xE8")
		w.wantClosed(1000)
		wantAccess(t, c, d.status, d.method, d.proto)
	}
	wires := dialAll(t, c.Addr("site"), "chat:all")
	exchange(t, wires, "chat:all", "hello")
}

// wantClosed is wantClose for a client that has closed before.
func (w *wire) wantClosed(code uint16) {
	w.t.Helper()
	if op, payload := w.receive(); op != opClose || string(payload[:2]) != string([]byte{byte(code >> 8), byte(code)}) {
		w.t.Errorf("%s: got opcode %d, %q instead of a close with %d", w.name, op, payload, code)
	}
	w.wantEnd()
}

// wantAccess looks for a line of the access log.
func wantAccess(t testing.TB, c *integration.Caddy, status int, method, proto string) {
	t.Helper()
	var line struct {
		Status  int
		Request struct{ Method, Proto, URI string }
	}
	text := c.WaitLog(`"proto":"` + proto + `"`)
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatal(err)
	}
	if line.Status != status || line.Request.Method != method || line.Request.URI != "/rt" {
		t.Errorf("the access log has %s", text)
	}
}

// A connection may be quiet for longer than the server lets the body of a request
// be.
func TestWebSocketQuiet(t *testing.T) {
	c := start(t)
	wires := dialAll(t, c.Addr("site"), "chat:all")
	exchange(t, wires, "chat:all", "hello")
	stall(t, c)
	exchange(t, wires, "chat:all", "still here")
}

// stall sends half of a request and returns when the server has lost patience. The app behind it never
// answers: one in this Caddy has the same timeouts, and might give up first.
func stall(t *testing.T, c *integration.Caddy) {
	t.Helper()
	app, err := net.Listen("tcp", c.Addr("silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	addr := c.Addr("site")
	conn, err := tls.Dial("tcp", addr, clientTLS("http/1.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	start := time.Now()
	if _, err := io.WriteString(conn, "POST /silent HTTP/1.1\r\nHost: "+addr+"\r\nContent-Length: 2\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		_ = res.Body.Close()
	}
	if took := time.Since(start); err == nil && res.StatusCode < 400 || took < time.Second || took >= patience {
		t.Errorf("a request that stalls was answered with %v, %v after %v", res, err, took)
	}
}

// Neither one reload nor another closes a connection, and what is published over
// the new configuration reaches those who came before.
func TestWebSocketOverReloads(t *testing.T) {
	c := start(t)
	wires := dialAll(t, c.Addr("site"), "chat:all")
	exchange(t, wires, "chat:all", "hello")
	for _, word := range []string{"second", "third"} {
		c.Reload(strings.Replace(chain, "the app", word, 1))
		exchange(t, wires, "chat:all", word)
	}
	late := dialAll(t, c.Addr("site"), "chat:all")
	exchange(t, append(late, wires...), "chat:all", "all of us")
}

// At exit everybody is told when to come back, and the process ends without waiting
// for the streams that live in a handler.
func TestWebSocketDrain(t *testing.T) {
	t.Parallel()
	p := integration.StartProcess(t, chain, "GODEBUG=http2xconnect=1")
	p.WaitLog(certified)
	wires := dialAll(t, p.Addr("site"), "chat:all")
	exchange(t, wires, "chat:all", "hello")
	p.Terminate()
	for _, w := range wires {
		if e := w.expect("reconnect"); e.Payload.Reason == "" {
			t.Errorf("%s: the reason is missing", w.name)
		}
		w.wantClose(1012)
	}
	if code := p.WaitExit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
