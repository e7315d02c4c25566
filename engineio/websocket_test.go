package engineio_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// socket is a client on a WebSocket.
type socket struct {
	t testing.TB
	*websocket.Conn
}

func dial(t testing.TB, addr, query string) *socket {
	t.Helper()
	c, res, err := websocket.DefaultDialer.Dial("ws://"+addr+"/socket.io/?EIO=4&transport=websocket"+query, nil)
	if err != nil {
		t.Fatal(err, res)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second)) // a test that hangs should say where
	return &socket{t, c}
}

func (s *socket) say(packets ...string) {
	s.t.Helper()
	for _, p := range packets {
		kind := websocket.TextMessage
		if rest, ok := strings.CutPrefix(p, "binary:"); ok {
			kind, p = websocket.BinaryMessage, rest
		}
		if err := s.WriteMessage(kind, []byte(p)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// next reads a packet. A binary one begins with "binary:".
func (s *socket) next() string {
	s.t.Helper()
	kind, p, err := s.ReadMessage()
	if err != nil {
		s.t.Fatal(err)
	}
	if kind == websocket.BinaryMessage {
		return "binary:" + string(p)
	}
	return string(p)
}

func (s *socket) want(packets ...string) {
	s.t.Helper()
	for _, p := range packets {
		if got := s.next(); got != p {
			s.t.Fatalf("%q instead of %q", got, p)
		}
	}
}

// wantClosed reads the end of the connection.
func (s *socket) wantClosed(code int) {
	s.t.Helper()
	_, p, err := s.ReadMessage()
	if !websocket.IsCloseError(err, code) {
		s.t.Fatalf("%q, %v instead of a close with the code %d", p, err, code)
	}
}

// handshake is the open packet.
type handshake struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func opened(t testing.TB, packet string) (h handshake) {
	t.Helper()
	in := json.NewDecoder(strings.NewReader(strings.TrimPrefix(packet, "0")))
	in.DisallowUnknownFields()
	if err := in.Decode(&h); err != nil || packet[0] != '0' || h.SID == "" || h.Upgrades == nil {
		t.Fatalf("open packet %q: %v", packet, err)
	}
	return h
}

// TestWebSocket runs the whole way on a WebSocket alone.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{Heartbeat: 20 * time.Second, Timeout: 7 * time.Second})
	n.limit(session.Limits{MessageSize: 1234})
	addr := listen(t, n)
	s := dial(t, addr, "")
	h := opened(t, s.next())
	if len(h.Upgrades) != 0 || h.PingInterval != 20000 || h.PingTimeout != 7000 || h.MaxPayload != 1234 {
		t.Errorf("open packet %+v", h)
	}
	s.say("4hello", "binary:\x00\xfe", "4both", "3", "6", "4join")
	s.want("4hello", "binary:\x00\xfe", "4one attachment", "binary:\xff\x00", "4joined")
	n.publish("from the room")
	s.want("4from the room")
	s.say("1")
	s.want("4bye")
	s.wantClosed(1000)
}

// The server pings, and closes a client that does not answer. Anything it sends counts.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{Heartbeat: 200 * time.Millisecond, Timeout: 100 * time.Millisecond})
	s := dial(t, listen(t, n), "")
	opened(t, s.next())
	for range 3 {
		s.want("2")
		s.say("3")
	}
	s.want("2")
	s.wantClosed(4501)
}

// What the protocol does not allow ends the connection.
func TestHostilePackets(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	n.limit(session.Limits{MessageSize: 1000})
	addr := listen(t, n)
	for _, c := range []struct {
		name, packet string
		code         int
	}{
		{"empty", "", 1002},
		{"a ping of the client", "2", 1002},
		{"a probe without a session", "2probe", 1002},
		{"an upgrade", "5", 1002},
		{"an open packet", "0{}", 1002},
		{"an unknown type", "7", 1002},
		{"not a packet", "hello", 1002},
		{"no UTF-8", "4\xff", 1007},
		{"too large", "4" + strings.Repeat("x", 1000), 1009},
		{"too large, binary", "binary:" + strings.Repeat("x", 1001), 1009},
		{"a panic", "4panic", 1011},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, addr, "")
			opened(t, s.next())
			s.say(c.packet)
			if c.code == 1002 || c.code == 1007 || c.code == 1009 {
				s.want("4bye")
			}
			s.wantClosed(c.code)
		})
	}
}

// A client can not send packets without a message faster than messages.
func TestFloodOfPongs(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{Timeout: time.Second})
	n.limit(session.Limits{Rate: policyRate(1, 5)})
	s := dial(t, listen(t, n), "")
	opened(t, s.next())
	for range 40 {
		s.say("3")
	}
	s.want("4bye")
	s.wantClosed(1008)
}

// get sends a request and returns its answer.
func get(t testing.TB, method, url string, header http.Header, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// TestTableOfErrors are the answers that real clients read.
func TestTableOfErrors(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, n)
	upgrade := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for _, c := range []struct {
		name, method, query string
		header              http.Header
		want                string
	}{
		{"no transport", "GET", "EIO=4", nil, `{"code":0,"message":"Transport unknown"}`},
		{"unknown transport", "GET", "EIO=4&transport=flash", nil, `{"code":0,"message":"Transport unknown"}`},
		{"unknown sid", "GET", "EIO=4&transport=websocket&sid=abc", upgrade, `{"code":1,"message":"Session ID unknown"}`},
		{"POST", "POST", "EIO=4&transport=websocket", nil, `{"code":2,"message":"Bad handshake method"}`},
		{"no upgrade", "GET", "EIO=4&transport=websocket", nil, `{"code":3,"message":"Bad request"}`},
		{"version 3", "GET", "EIO=3&transport=websocket", upgrade, `{"code":5,"message":"Unsupported protocol version"}`},
		{"no version", "GET", "transport=websocket", upgrade, `{"code":5,"message":"Unsupported protocol version"}`},
	} {
		res, body := get(t, c.method, "http://"+addr+"/socket.io/?"+c.query, c.header, "")
		if res.StatusCode != 400 || body != c.want || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %q %v", c.name, res.StatusCode, body, res.Header)
		}
	}
}

// A client of another version is one that is rejected, and the log says which version it speaks.
func TestOtherVersionIsNoted(t *testing.T) {
	t.Parallel()
	var noted []*protocol.Error
	n := newNode(t, hub.Settings{})
	n.with(func(o *engineio.Options) { o.Rejected = func(e *protocol.Error) { noted = append(noted, e) } })
	addr := listen(t, n)
	for _, query := range []string{"EIO=4&transport=flash", "EIO=4&transport=websocket&sid=abc", "EIO=3&transport=polling"} {
		get(t, "GET", "http://"+addr+"/socket.io/?"+query, nil, "")
	}
	const want = `the client speaks version "3" of Engine.IO, and the server 4`
	if len(noted) != 1 || noted[0].Code != protocol.Forbidden || noted[0].Message != "Unsupported protocol version" || noted[0].Detail != want {
		t.Errorf("noted: %v", noted)
	}
}

// Without a table for sessions there are no polls.
func TestWithoutPolls(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	n.with(func(o *engineio.Options) { o.Sessions = nil })
	addr := listen(t, n)
	for query, want := range map[string]string{"transport=polling": `"code":0`, "transport=polling&sid=abc": `"code":0`, "transport=websocket&sid=abc": `"code":1`} {
		if res, body := get(t, "GET", "http://"+addr+"/socket.io/?EIO=4&"+query, nil, ""); res.StatusCode != 400 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", query, res.StatusCode, body)
		}
	}
}

// The server's own rules have a code of their own, and a status that says more.
func TestRulesOfTheServer(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, n)
	url := "ws://" + addr + "/socket.io/?EIO=4&transport=websocket"
	var rejected []protocol.Code
	for _, c := range []struct {
		change func(*engineio.Options)
		status int
		want   string
	}{
		{func(o *engineio.Options) { o.Foreign = protocol.Errorf(protocol.Forbidden, "another origin") }, 403, `"code":4`},
		{func(o *engineio.Options) {
			o.Admit = func() (*session.Principal, *protocol.Error) {
				return nil, &protocol.Error{Code: protocol.RateLimited, Message: "slow \"down\"", RetryAfter: 1500 * time.Millisecond}
			}
		}, 429, `"slow \"down\""`},
	} {
		n.with(func(o *engineio.Options) {
			c.change(o)
			o.Rejected = func(e *protocol.Error) { rejected = append(rejected, e.Code) }
		})
		_, res, err := websocket.DefaultDialer.Dial(url, http.Header{"Origin": {"https://elsewhere.example"}})
		if !errors.Is(err, websocket.ErrBadHandshake) {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.status || !strings.Contains(string(body), c.want) || c.status == 429 && res.Header.Get("Retry-After") != "2" {
			t.Errorf("%d %s %v", res.StatusCode, body, res.Header)
		}
	}
	if len(rejected) != 2 || rejected[0] != protocol.Forbidden || rejected[1] != protocol.RateLimited {
		t.Errorf("rejected %v", rejected)
	}
}

// A preflight passes for pages of allowed origins, with what their application sends.
func TestPreflight(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	url := "http://" + listen(t, n) + "/socket.io/?EIO=4&transport=polling"
	ask := http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type,x-own"}}
	res, _ := get(t, "OPTIONS", url, ask, "")
	h := res.Header
	if res.StatusCode != 204 || h.Get("Access-Control-Allow-Origin") != "https://a.example" || h.Get("Access-Control-Allow-Credentials") != "true" ||
		h.Get("Access-Control-Allow-Headers") != "content-type,x-own" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") || h.Get("Vary") != "Origin" {
		t.Errorf("%d %v", res.StatusCode, h)
	}
	n.with(func(o *engineio.Options) { o.Foreign = protocol.Errorf(protocol.Forbidden, "another origin") })
	res, _ = get(t, "OPTIONS", url, ask, "")
	if h = res.Header; h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("%d %v", res.StatusCode, h)
	}
}
