package ws_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

func TestHandshakeAnswers(t *testing.T) {
	t.Parallel()
	addr := listen(t, newNode(t, hub.Settings{}))
	for _, c := range []struct {
		name   string
		change map[string]string
		status int
		want   http.Header
		detail string
	}{
		{"plain", nil, 101, http.Header{
			"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
			"Sec-Websocket-Accept": {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
		}, ""},
		{"subprotocol", map[string]string{"Sec-WebSocket-Protocol": "other, realtime.v1"}, 101,
			http.Header{"Sec-Websocket-Protocol": {"realtime.v1"}}, ""},
		{"other subprotocol", map[string]string{"Sec-WebSocket-Protocol": "mqtt"}, 101,
			http.Header{"Sec-Websocket-Protocol": nil}, ""},
		{"other version", map[string]string{"Sec-WebSocket-Protocol": "realtime.v2"}, 101,
			http.Header{"Sec-Websocket-Protocol": {"realtime.v2"}}, ""},
		{"no compression", map[string]string{"Sec-WebSocket-Extensions": "permessage-deflate"}, 101,
			http.Header{"Sec-Websocket-Extensions": nil}, ""},
		{"old version", map[string]string{"Sec-WebSocket-Version": "8"}, 426, http.Header{
			"Sec-Websocket-Version": {"13"}, "Upgrade": {"websocket"},
			"Content-Type": {"application/problem+json"},
		}, "only version 13"},
		{"no version", map[string]string{"Sec-WebSocket-Version": ""}, 426, nil, "only version 13"},
		{"no key", map[string]string{"Sec-WebSocket-Key": ""}, 400, nil, "Sec-WebSocket-Key"},
		{"short key", map[string]string{"Sec-WebSocket-Key": "AAAA"}, 400, nil, "Sec-WebSocket-Key"},
		{"wrong method", map[string]string{"request": "POST / HTTP/1.1", "Content-Length": "0"}, 405,
			http.Header{"Allow": {"GET"}}, "GET"},
		{"body", map[string]string{"Content-Length": "4"}, 400, nil, "no body"},
		{"HTTP/1.0", map[string]string{"request": "GET / HTTP/1.0"}, 400, nil, "HTTP/1.1"},
		{"no handshake", map[string]string{"Upgrade": "h2c"}, 400, nil, "not a WebSocket handshake"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var body []byte
			if c.change["Content-Length"] == "4" {
				body = []byte("body")
			}
			w, res := handshake(t, addr, c.change, body...)
			if res.StatusCode != c.status {
				t.Fatalf("status %d, want %d", res.StatusCode, c.status)
			}
			for k, want := range c.want {
				if got := res.Header[k]; strings.Join(got, "|") != strings.Join(want, "|") {
					t.Errorf("%s: %q, want %q", k, got, want)
				}
			}
			if c.status == 101 {
				w.expect("connected")
				return
			}
			wantProblem(t, res, c.detail)
		})
	}
}

func wantProblem(t *testing.T, res *http.Response, detail string) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Status != res.StatusCode || p.Title == "" || !strings.Contains(p.Detail, detail) {
		t.Errorf("problem %+v does not say %q", p, detail)
	}
}

func TestIsUpgrade(t *testing.T) {
	t.Parallel()
	upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"WebSocket"}}
	for _, c := range []struct {
		name string
		r    http.Request
		want bool
	}{
		{"h1", http.Request{Method: "GET", ProtoMajor: 1, Header: upgrade}, true},
		{"h1 plain", http.Request{Method: "GET", ProtoMajor: 1}, false},
		{"h1 CONNECT", http.Request{Method: "CONNECT", ProtoMajor: 1}, false},
		{"h2", http.Request{Method: "CONNECT", ProtoMajor: 2, Header: http.Header{":protocol": {"websocket"}}}, true},
		{"h2 other protocol", http.Request{Method: "CONNECT", ProtoMajor: 2, Header: http.Header{":protocol": {"connect-udp"}}}, false},
		{"h2 GET", http.Request{Method: "GET", ProtoMajor: 2, Header: upgrade}, false},
		{"h3", http.Request{Method: "CONNECT", ProtoMajor: 3, Proto: "websocket"}, true},
		{"h3 CONNECT", http.Request{Method: "CONNECT", ProtoMajor: 3, Proto: "HTTP/3.0"}, false},
	} {
		if got := ws.IsUpgrade(&c.r); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// The wrappers below are like those that a server such as Caddy puts around its
// writer.

// plainWriter knows nothing but the way down.
type plainWriter struct{ http.ResponseWriter }

func (w *plainWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// headerWriter sets a header when the answer is about to be sent.
type headerWriter struct{ plainWriter }

func (w *headerWriter) WriteHeader(status int) {
	w.Header().Set("X-Late", "yes")
	w.ResponseWriter.WriteHeader(status)
}

// recordWriter notes the status, and hands out a connection that keeps it alive.
type recordWriter struct {
	plainWriter
	status int
}

func (w *recordWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *recordWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	return &countedConn{conn, w}, rw, err
}

type countedConn struct {
	net.Conn
	owner *recordWriter
}

// hidingWriter forgets what is below it.
type hidingWriter struct{ w http.ResponseWriter }

func (h *hidingWriter) Header() http.Header         { return h.w.Header() }
func (h *hidingWriter) Write(p []byte) (int, error) { return h.w.Write(p) }
func (h *hidingWriter) WriteHeader(status int)      { h.w.WriteHeader(status) }

func TestHandshakeThroughWriters(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	status := make(chan int, 1)
	addr := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recordWriter{plainWriter: plainWriter{w}}
		n.ServeHTTP(&plainWriter{&headerWriter{plainWriter{rec}}}, r)
		status <- rec.status
	}))
	w, res := handshake(t, addr, nil)
	w.expect("connected")
	if got := <-status; got != 101 || res.Header.Get("X-Late") != "yes" {
		t.Errorf("the writers saw status %d, the client header %q", got, res.Header.Get("X-Late"))
	}
}

func TestHidingWriterIsNamed(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.ServeHTTP(&plainWriter{&hidingWriter{w}}, r)
	}))
	_, res := handshake(t, addr, nil)
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 500 || !strings.Contains(string(body), "*ws_test.hidingWriter") {
		t.Errorf("%s %q", res.Status, body)
	}
}

// A client need not wait for the answer before it sends its first frames.
func TestEarlyFrames(t *testing.T) {
	t.Parallel()
	addr := listen(t, newNode(t, hub.Settings{}))
	early := append(text(`{"type":"ping","id":"1"}`), text(`{"type":"ping","id":"2"}`)...)
	w, _ := handshake(t, addr, nil, early...)
	w.expect("connected")
	for _, id := range []string{"1", "2"} {
		if e := w.expect("pong"); e.ID != id {
			t.Errorf("answer %q, want %q", e.ID, id)
		}
	}
}
