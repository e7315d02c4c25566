package engineio_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// poller is a client that polls.
type poller struct {
	t    testing.TB
	base string
	sid  string
}

const separator = "\x1e"

func newPoller(t testing.TB, addr string) *poller {
	t.Helper()
	p := &poller{t: t, base: "http://" + addr + "/socket.io/?EIO=4&transport=polling"}
	res, body := get(t, "GET", p.base, nil, "")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/plain; charset=UTF-8" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("handshake: %d %q %v", res.StatusCode, body, res.Header)
	}
	h := opened(t, body)
	if len(h.Upgrades) != 1 || h.Upgrades[0] != "websocket" {
		t.Fatalf("handshake: %q", body)
	}
	p.sid = h.SID
	return p
}

func (p *poller) url() string { return p.base + "&sid=" + p.sid }

// get polls, and returns the packets.
func (p *poller) get() string {
	p.t.Helper()
	res, body := get(p.t, "GET", p.url(), nil, "")
	if res.StatusCode != 200 {
		p.t.Fatalf("poll: %d %s", res.StatusCode, body)
	}
	return body
}

func (p *poller) want(packets ...string) {
	p.t.Helper()
	var got []string
	for len(got) < len(packets) {
		got = append(got, strings.Split(p.get(), separator)...)
	}
	if strings.Join(got, "|") != strings.Join(packets, "|") {
		p.t.Fatalf("%q instead of %q", got, packets)
	}
}

// later polls in the background.
func (p *poller) later() <-chan string {
	got := make(chan string, 1)
	go func() {
		_, body := get(p.t, "GET", p.url(), nil, "")
		got <- body
	}()
	return got
}

// post sends packets, and wants the status.
func (p *poller) post(status int, packets ...string) {
	p.t.Helper()
	h := http.Header{"Content-Type": {"text/plain;charset=UTF-8"}}
	res, body := get(p.t, "POST", p.url(), h, strings.Join(packets, separator))
	if res.StatusCode != status || status == 200 && (body != "ok" || res.Header.Get("Content-Type") != "text/html") {
		p.t.Fatalf("POST: %d %s %v", res.StatusCode, body, res.Header)
	}
}

// wantUnknown wants the session to be over.
func (p *poller) wantUnknown() {
	p.t.Helper()
	for _, method := range []string{"GET", "POST"} {
		res, body := get(p.t, method, p.url(), nil, "")
		if res.StatusCode != 400 || body != `{"code":1,"message":"Session ID unknown"}` {
			p.t.Fatalf("%s: %d %s", method, res.StatusCode, body)
		}
	}
}

// TestPolling runs the whole way with polls alone.
func TestPolling(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	p := newPoller(t, listen(t, n))
	p.post(200, "4hello", "bAP4=", "4both", "3", "6", "4join")
	p.want("4hello", "bAP4=", "4one attachment", "b/wA=", "4joined")
	for range 3 {
		n.publish("one")
		n.publish("two")
		p.want("4one", "4two")
	}
	held := p.later()
	n.waitHeld(p)
	n.publish("at last")
	if got := <-held; got != "4at last" {
		t.Errorf("%q", got)
	}
	held = p.later()
	n.waitHeld(p)
	p.post(200, "1", "4too late")
	if got := <-held; got != "6" {
		t.Errorf("%q instead of a noop", got)
	}
	p.wantUnknown()
}

// waitHeld waits until a poll is held.
func (n *node) waitHeld(p *poller) {
	n.t.Helper()
	for end := time.Now().Add(10 * time.Second); !n.sessions.Held(p.sid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatal("no poll is held")
		}
	}
}

// The server's heartbeat reaches a client who polls, and one who does not poll is silent.
func TestHeartbeatOfPolls(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{Heartbeat: 300 * time.Millisecond, Timeout: 200 * time.Millisecond})
	p := newPoller(t, listen(t, n))
	for range 3 {
		p.want("2")
		p.post(200, "3")
	}
	n.waitConnections(0)
	if got := p.get(); got != "1" { // pings were queued before
		if strings.Trim(got, "2"+separator) != "" {
			t.Errorf("%q", got)
		}
		p.want("1")
	}
	p.wantUnknown()
}

// Two requests of a kind at a time end the session.
func TestOverlap(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	p := newPoller(t, listen(t, n))
	held := p.later()
	n.waitHeld(p)
	if res, _ := get(t, "GET", p.url(), nil, ""); res.StatusCode != 400 {
		t.Errorf("status %d", res.StatusCode)
	}
	if got := <-held; got != "4bye" {
		t.Errorf("%q instead of the last words", got)
	}
	p.want("1")
	p.wantUnknown()
}

// A client that gives a poll up has gone.
func TestAbort(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	p := newPoller(t, listen(t, n))
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", p.url(), nil)
	over := make(chan error)
	go func() {
		_, err := http.DefaultTransport.RoundTrip(r) //nolint:bodyclose // there is none
		over <- err
	}()
	n.waitHeld(p)
	cancel()
	if err := <-over; err == nil {
		t.Error("an answer")
	}
	n.waitConnections(0)
}

func (n *node) waitConnections(want int) {
	n.t.Helper()
	for end := time.Now().Add(10 * time.Second); n.registry.Inspection.Stats(context.Background()).Gauges["connections"] != float64(want); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatal("the connections are others")
		}
	}
}

// What a client sends in a POST that is none of the protocol ends the session.
func TestHostilePosts(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	n.limit(session.Limits{MessageSize: 1000})
	addr := listen(t, n)
	for _, c := range []struct {
		name, body string
	}{
		{"empty", ""},
		{"empty packets", separator + separator},
		{"an empty packet at the end", "4a" + separator},
		{"a ping of the client", "2"},
		{"a probe", "2probe"},
		{"an upgrade", "5"},
		{"an open packet", "0{}"},
		{"an unknown type", "8abc"},
		{"version 3", "2:40"},
		{"not base64", "b%%%"},
		{"base64 with more bits", "bAP5="},
		{"base64 of URLs", "b_-8="},
		{"base64 in lines", "bAP4=\r\n"},
		{"no UTF-8", "4\xff\xfe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPoller(t, addr)
			p.post(400, c.body)
			if got := p.get(); !strings.HasSuffix(got, "4bye") {
				t.Errorf("%q instead of the last words", got)
			}
			p.want("1")
			p.wantUnknown()
		})
	}
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		p := newPoller(t, addr)
		p.post(413, "4"+strings.Repeat("x", 1000))
		p.post(200, "4"+strings.Repeat("x", 999))
		p.want("4" + strings.Repeat("x", 999))
	})
	t.Run("binary body", func(t *testing.T) {
		t.Parallel()
		p := newPoller(t, addr)
		res, _ := get(t, "POST", p.url(), http.Header{"Content-Type": {"application/octet-stream"}}, "4hello")
		if res.StatusCode != 400 {
			t.Errorf("status %d", res.StatusCode)
		}
	})
	t.Run("other methods", func(t *testing.T) {
		t.Parallel()
		p := newPoller(t, addr)
		res, body := get(t, "DELETE", p.url(), nil, "")
		if res.StatusCode != 400 || !strings.Contains(body, `"code":3`) {
			t.Errorf("%d %s", res.StatusCode, body)
		}
	})
}

// A sid opens nothing in another hub.
func TestForeignSession(t *testing.T) {
	t.Parallel()
	one, other := newNode(t, hub.Settings{}), newNode(t, hub.Settings{})
	p := newPoller(t, listen(t, one))
	other.with(func(o *engineio.Options) { o.Sessions = &one.sessions })
	foreign := *p
	foreign.base = "http://" + listen(t, other) + "/socket.io/?EIO=4&transport=polling"
	foreign.wantUnknown()
	p.post(200, "4hello")
	p.want("4hello")
}

// The queue of a client who does not poll has the bounds of every queue, and then the end waits.
func TestQueueOfPolls(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{QueueMessages: 10})
	p := newPoller(t, listen(t, n))
	p.post(200, "4join")
	p.want("4joined")
	for range 12 {
		n.publish("more")
	}
	n.waitConnections(0)
	if p.get() != "1" { // what was queued before
		p.want("1")
	}
	p.wantUnknown()
}

// The answer to one poll is bounded, and nothing is lost or out of order.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	p := newPoller(t, listen(t, n))
	p.post(200, "4join")
	p.want("4joined")
	var want []string
	for i := range 40 {
		m := string(rune('a'+i%26)) + strings.Repeat("x", 10_000)
		want = append(want, "4"+m)
		n.publish(m)
	}
	var got []string
	polls := 0
	for ; len(got) < len(want); polls++ {
		body := p.get()
		if len(body) > 128<<10 {
			t.Errorf("an answer of %d bytes", len(body))
		}
		got = append(got, strings.Split(body, separator)...)
	}
	if strings.Join(got, "") != strings.Join(want, "") {
		t.Error("the messages are others")
	}
	if polls < 4 || polls > 20 {
		t.Errorf("%d polls", polls)
	}
}

// A poll that is held when its configuration ends goes on, and the session too. It is not answered at this
// moment, in which the next poll might get to the server that ends.
func TestReload(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, n)
	silent, busy := newPoller(t, addr), newPoller(t, addr)
	busy.post(200, "4join")
	busy.want("4joined")
	over := make(chan struct{})
	n.with(func(o *engineio.Options) { o.Over = over })
	held, got := silent.later(), busy.later()
	n.waitHeld(silent)
	n.waitHeld(busy)
	n.with(nil)
	close(over)
	time.Sleep(200 * time.Millisecond) // a poll that would be answered at once is answered by then
	n.publish("after the end")
	if got := <-got; got != "4after the end" {
		t.Errorf("%q instead of the message", got)
	}
	select {
	case got := <-held:
		t.Fatalf("%q at once", got)
	default:
	}
	if got := <-held; got != "6" {
		t.Errorf("%q instead of a noop", got)
	}
	silent.post(200, "4hello")
	silent.want("4hello")
}

// A server that closes a connection says so to the poll that is held, or to the next one.
func TestServerClosesPolls(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, n)
	holding, absent := newPoller(t, addr), newPoller(t, addr)
	held := holding.later()
	n.waitHeld(holding)
	if err := n.hub.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-held; got != "1" {
		t.Errorf("%q instead of the end", got)
	}
	if got := absent.get(); got != "1" {
		t.Errorf("%q instead of the end", got)
	}
	holding.wantUnknown()
	absent.wantUnknown()
	res, body := get(t, "GET", absent.base, nil, "")
	if res.StatusCode != 503 || !strings.Contains(body, `"code":4`) || res.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// The sid is a secret, and the cookie carries it.
func TestCookie(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	n.with(func(o *engineio.Options) { o.Cookie = "io" })
	res, body := get(t, "GET", "http://"+listen(t, n)+"/socket.io?EIO=4&transport=polling", http.Header{"Origin": {"http://a.example"}}, "")
	h := opened(t, body)
	if got := res.Header.Get("Set-Cookie"); got != "io="+h.SID+"; Path=/; HttpOnly; SameSite=Lax" || len(h.SID) != 24 {
		t.Errorf("%q for %q", got, h.SID)
	}
	if res.Header.Get("Access-Control-Allow-Origin") != "http://a.example" || res.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("%v", res.Header)
	}
	if _, ok := n.hub.Conn(h.SID); ok {
		t.Error("the sid is the id of the connection, which others see")
	}
}
