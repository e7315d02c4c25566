package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// app is an application that is asked.
type app struct {
	*httptest.Server

	mu    sync.Mutex
	asked []string // what the questions were
}

// newApp knows the client of one cookie, and lets it into the channels that do not
// end with "secret".
func newApp(t *testing.T) *app {
	t.Helper()
	a := new(app)
	a.Server = httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(a.Close)
	return a
}

func (a *app) answer(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a.mu.Lock()
	a.asked = append(a.asked, fmt.Sprintf("%s %s %s %q %q %q %s", r.Method, r.URL.Path,
		r.Header.Get("X-Realtime-Action"), q.Get("channel"), q.Get("user"), r.Header.Values("X-Realtime-User"), r.Header.Get("X-Forwarded-For")))
	a.mu.Unlock()
	cookie, err := r.Cookie("session")
	switch channel := q.Get("channel"); {
	case strings.HasSuffix(channel, "broken"):
		w.WriteHeader(http.StatusBadGateway)
	case strings.HasSuffix(channel, "slow"):
		<-r.Context().Done()
	case strings.HasSuffix(channel, "secret"):
		w.WriteHeader(http.StatusForbidden)
	case q.Get("action") != "connect":
	case err != nil:
		w.WriteHeader(http.StatusUnauthorized)
	case cookie.Value == "strange":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"info": 1}`)
	default:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"user": "ann", "info": {"name": "Ann"}, "channels": [{"pattern": "granted:*", "allow": ["subscribe"]}]}`)
	}
}

// questions gives what was asked since the last time.
func (a *app) questions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() { a.asked = nil }()
	return a.asked
}

const askingSite = `
http://{{site}} {
	realtime {
		authorize {
			timeout 300ms
			reverse_proxy {env.REALTIME_TEST_APP}
		}
		room chat:* {
			publish users
			presence
		}
		room granted:* {
			subscribe granted
		}
		room closed:* {
			subscribe server
		}
	}
}
`

func startAsking(t *testing.T) (*Caddy, *app) {
	t.Helper()
	a := newApp(t)
	t.Setenv("REALTIME_TEST_APP", strings.TrimPrefix(a.URL, "http://"))
	return Start(t, askingSite), a
}

func TestAuthorize(t *testing.T) {
	c, a := startAsking(t)
	ws, _, first := connect(t, "ws://"+c.Addr("site")+"/realtime", "Cookie", "session=1", "X-Realtime-User", "root", "X-Realtime-Action", "nothing")
	if !strings.Contains(first, `"user":"ann"`) {
		t.Fatal(first)
	}
	for _, test := range []struct{ command, want, asked string }{
		{`{"type":"subscribe","id":1,"payload":{"channel":"chat:ä=&"}}`, `"info":{"ann":{"name":"Ann"}}`, `GET /realtime/authorize subscribe "chat:ä=&" "ann" ["ann"] 127.0.0.1`},
		{`{"type":"message","id":2,"payload":{"channel":"chat:1","content":1}}`, `"type":"ack"`, `GET /realtime/authorize publish "chat:1" "ann" ["ann"] 127.0.0.1`},
		{`{"type":"message","id":3,"payload":{"channel":"chat:1","content":1}}`, `"type":"ack"`, ""}, // remembered
		{`{"type":"subscribe","id":4,"payload":{"channel":"chat:secret"}}`, `"code":"FORBIDDEN"`, "subscribe"},
		{`{"type":"message","id":5,"payload":{"channel":"chat:secret","content":1}}`, `"code":"FORBIDDEN"`, "publish"},
		{`{"type":"subscribe","id":6,"payload":{"channel":"chat:broken"}}`, `"code":"UNAVAILABLE"`, "subscribe"},
		{`{"type":"subscribe","id":7,"payload":{"channel":"chat:slow"}}`, `"retryAfter"`, "subscribe"},
		{`{"type":"subscribe","id":8,"payload":{"channel":"granted:1"}}`, `"type":"subscribed"`, "subscribe"},
		{`{"type":"subscribe","id":9,"payload":{"channel":"closed:1"}}`, `"code":"FORBIDDEN"`, ""}, // no use asking
	} {
		a.questions()
		send(t, ws, test.command)
		expect(t, ws, test.want)
		asked := a.questions()
		if test.asked == "" && len(asked) > 0 || test.asked != "" && (len(asked) != 1 || !strings.Contains(asked[0], test.asked)) {
			t.Errorf("%s: the app was asked %q", test.command, asked)
		}
	}
}

func TestAuthorizeRefusesHandshakes(t *testing.T) {
	c, a := startAsking(t)
	url := "ws://" + c.Addr("site") + "/realtime"
	for _, test := range []struct {
		cookie string
		status int
	}{
		{"", 401}, {"session=strange", 503}, {"session=" + strings.Repeat("x", 20_000), 413},
	} {
		if _, answer, text := connect(t, url, "Cookie", test.cookie); answer.StatusCode != test.status {
			t.Errorf("%.20q: %s %s", test.cookie, answer.Status, text)
		}
	}
	base := "http://" + c.Addr("site") + "/realtime/channels/chat:1/messages"
	for cookie, status := range map[string]int{"session=1": 200, "": 401} {
		if res, text := request(t, "POST", base, `{"content": 1}`, "Cookie", cookie); res.StatusCode != status {
			t.Errorf("publishing with cookie %q: %d %s", cookie, res.StatusCode, text)
		}
	}
	stream := "http://" + c.Addr("site") + "/realtime?channel=chat:1"
	if res, text := request(t, "GET", stream, "", "Accept", "text/event-stream"); res.StatusCode != 401 {
		t.Errorf("a stream of a stranger: %d %q", res.StatusCode, text)
	}
	a.Close()
	_, answer, text := connect(t, url, "Cookie", "session=2")
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("without the app: %s %s", answer.Status, text)
	}
	// To an EventSource a 503 would be the end for good.
	if res, text := request(t, "GET", stream, "", "Cookie", "session=2", "Accept", "text/event-stream"); res.StatusCode != 200 || !strings.HasPrefix(text, "retry: ") {
		t.Errorf("a stream without the app: %d %q", res.StatusCode, text)
	}
}

// TestAuthorizeAfterReload asks in the way of the configuration in force, for
// connections that are older.
func TestAuthorizeAfterReload(t *testing.T) {
	c, _ := startAsking(t)
	ws, _, _ := connect(t, "ws://"+c.Addr("site")+"/realtime", "Cookie", "session=1")
	n := 0
	for _, test := range []struct{ directives, want string }{
		{"reverse_proxy {env.REALTIME_TEST_APP}", `"type":"ack"`},
		{"error 403", `"code":"FORBIDDEN"`},
		{"respond 401", `"code":"UNAUTHORIZED"`},
		{"redir https://app.example/sign-in", `"code":"FORBIDDEN"`},
		{"header X-Nobody answers", `"code":"FORBIDDEN"`},
		{"error 500", `"code":"UNAVAILABLE"`},
		{`respond "yes"`, `"type":"ack"`},
		{`@mine expression {realtime.user} == "ann" && {realtime.action} == "publish" && {realtime.channel} == "chat:1"
			respond @mine 204`, `"type":"ack"`},
		{`@mine header Cookie session=1
			respond @mine 204`, `"type":"ack"`},
		{"invoke asked", `"type":"ack"`},
	} {
		c.Reload(`
			&(asked) {
				respond 204
			}
		` + strings.Replace(askingSite, "reverse_proxy {env.REALTIME_TEST_APP}", test.directives, 1))
		n++
		send(t, ws, fmt.Sprintf(`{"type":"message","id":%d,"payload":{"channel":"chat:1","content":1}}`, n))
		frame := ""
		for !strings.Contains(frame, fmt.Sprintf(`"id":%d,`, n)) {
			_, data, err := ws.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			frame = string(data)
		}
		if !strings.Contains(frame, test.want) {
			t.Errorf("%s: %s", test.directives, frame)
		}
	}
}

// TestAuthorizeWithinLimits has strangers not make the app be asked more often than
// the limits allow, whatever they come for.
func TestAuthorizeWithinLimits(t *testing.T) {
	a := newApp(t)
	c := Start(t, fmt.Sprintf(`
		http://{{site}} {
			realtime {
				limits {
					handshakes 1/s 5
					rate 1/s 5
				}
				authorize {
					reverse_proxy %s
				}
				room * {
					subscribe anyone
					publish anyone
				}
			}
		}
	`, a.Listener.Addr()))
	base := "http://" + c.Addr("site") + "/realtime"
	for _, test := range []struct{ method, path, accept string }{
		{"GET", "?channel=chat:1", "text/event-stream"},
		{"POST", "/channels/chat:1/messages", ""},
		{"GET", "/nothing", ""},
	} {
		a.questions()
		for i := range 50 {
			request(t, test.method, base+test.path, `{"content": 1}`, "Cookie", fmt.Sprintf("session=strange; n=%d", i), "Accept", test.accept)
		}
		if n := len(a.questions()); n > 10 {
			t.Errorf("%s %s: the app was asked %d times for 50 requests", test.method, test.path, n)
		}
	}
}

// TestAPIKeyIsNoWayIn has an API key make a client nothing more on a connection: not
// past `required`, and not past the app.
func TestAPIKeyIsNoWayIn(t *testing.T) {
	a := newApp(t)
	t.Setenv("REALTIME_TEST_APP", strings.TrimPrefix(a.URL, "http://"))
	t.Setenv("REALTIME_TEST_KEY", "a-key-that-publishes-news")
	t.Setenv("REALTIME_TEST_SECRET", strings.Repeat("s", 32))
	const room = `
				room * {
					subscribe anyone
				}
			}
		}
	`
	c := Start(t, `
		http://{{asked}} {
			realtime {
				hub asked
				api_key {env.REALTIME_TEST_KEY} {
					publish news:*
				}
				authorize {
					reverse_proxy {env.REALTIME_TEST_APP}
				}`+room+`
		http://{{closed}} {
			realtime {
				hub closed
				api_key {env.REALTIME_TEST_KEY} {
					publish news:*
				}
				token {
					hmac {env.REALTIME_TEST_SECRET}
					from header
					required
				}`+room)
	for _, site := range []string{"asked", "closed"} {
		base := c.Addr(site) + "/realtime"
		if _, answer, text := connect(t, "ws://"+base, "Authorization", "Bearer a-key-that-publishes-news"); answer.StatusCode != 401 {
			t.Fatalf("%s: a WebSocket with the key: %s %s", site, answer.Status, text)
		}
		if res, text := request(t, "GET", "http://"+base+"?channel=chat:1", "", "Accept", "text/event-stream", "Authorization", "Bearer a-key-that-publishes-news"); res.StatusCode != 401 {
			t.Errorf("%s: a stream with the key: %d %.60q", site, res.StatusCode, text)
		}
	}
	ws, answer, _ := connect(t, "ws://"+c.Addr("asked")+"/realtime", "Cookie", "session=1", "Authorization", "Bearer a-key-that-publishes-news")
	if answer.StatusCode != 101 {
		t.Fatal(answer.Status)
	}
	send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"chat:secret"}}`)
	expect(t, ws, `"code":"FORBIDDEN"`)
}
