package ws_test

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// TestConversation runs the whole way with somebody else's client.
func TestConversation(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	secure := httptest.NewTLSServer(n)
	t.Cleanup(secure.Close)
	for _, url := range []string{"ws://" + listen(t, n), "wss" + strings.TrimPrefix(secure.URL, "https")} {
		t.Run(url[:strings.Index(url, ":")], func(t *testing.T) {
			t.Parallel()
			converse(t, newClient(t, url), newClient(t, url))
		})
	}
}

func converse(t *testing.T, clients ...*websocket.Conn) {
	t.Helper()
	channel := "open:" + t.Name()
	for _, c := range clients {
		wantType(t, c, "connected")
		say(t, c, `{"type":"subscribe","payload":{"channel":"`+channel+`"}}`)
		wantType(t, c, "subscribed")
	}
	for _, size := range []int{1, 100, 10000, 60000} {
		content := `"` + strings.Repeat("x", size) + `"`
		say(t, clients[0], `{"type":"message","payload":{"channel":"`+channel+`","content":`+content+`}}`)
		for _, c := range clients {
			if e := wantType(t, c, "message"); string(e.Payload.Content) != content {
				t.Errorf("content of %d bytes, want %d", len(e.Payload.Content), len(content))
			}
		}
	}
	for _, c := range clients {
		bye := websocket.FormatCloseMessage(1000, "")
		if err := c.WriteMessage(websocket.CloseMessage, bye); err != nil {
			t.Error(err)
		}
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 1000) {
			t.Errorf("%v instead of a close", err)
		}
	}
}

func newClient(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	c, res, err := d.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func say(t *testing.T, c *websocket.Conn, s string) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
		t.Fatal(err)
	}
}

func wantType(t *testing.T, c *websocket.Conn, kind string) (e envelope) {
	t.Helper()
	if err := c.ReadJSON(&e); err != nil {
		t.Fatal(err)
	}
	if e.Type != kind {
		t.Fatalf("%s instead of %s", e.Type, kind)
	}
	return e
}

func TestClientCloses(t *testing.T) {
	t.Parallel()
	addr := listen(t, newNode(t, hub.Settings{}))
	for _, c := range []struct {
		name  string
		close []byte
		want  uint16
	}{
		{"normal", closing(1000, "bye"), 1000},
		{"no code", control(opClose, ""), 1000},
		{"going away", closing(1001, ""), 1001},
		{"a code of its own", closing(4123, "because"), 4123},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := dial(t, addr)
			w.expect("connected")
			w.send(c.close)
			if code, _ := w.closed(); code != c.want {
				t.Errorf("answered %d, want %d", code, c.want)
			}
			w.wantEnd()
		})
	}
}

// What is queued when the server ends a connection still arrives, in order, and
// then the close frame.
func TestServerCloses(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	w := dial(t, listen(t, n))
	conn := n.conn(w)
	for range 100 {
		conn.Send(hub.Gap{Channel: "open:x"})
	}
	conn.Close(hub.Reason{Code: 4403, Text: "out"})
	for range 100 {
		w.expect("gap")
	}
	w.wantClosed(4403, "out")
}

// conn gives the server's side of a client that has not read anything yet.
func (n *node) conn(w *wire) *hub.Conn {
	w.t.Helper()
	c, ok := n.hub.Conn(w.expect("connected").Payload.Connection)
	if !ok {
		w.t.Fatal("the hub does not know the connection")
	}
	return c
}

// A client that ends its side without a close frame is lost, and told nothing.
func TestClientHangsUp(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	w := dial(t, listen(t, n))
	w.expect("connected")
	if err := w.rw.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	w.wantEnd()
}

// A client that was sending while it was told to go still gets to read why.
func TestCloseReachesABusyClient(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	n.limit(session.Limits{MessageSize: 100})
	w := dial(t, listen(t, n))
	w.expect("connected")
	w.sent(frame{fin | opText, true, bytes.Repeat([]byte("x"), maxSent)}.encode())
	w.wantClosed(1009, "100 bytes")
}

// maxSent is less than what is drained.
const maxSent = 300 << 10

// BenchmarkCommand is one command and its answer, there and back.
func BenchmarkCommand(b *testing.B) {
	w := dial(b, listen(b, newNode(b, hub.Settings{})))
	w.expect("connected")
	m := text(`{"type":"ping","id":"1"}`)
	b.ReportAllocs()
	for b.Loop() {
		w.send(m)
		w.next()
	}
}
