package ws_test

import (
	"bytes"
	"compress/flate"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

const (
	rsv1 = 0x40
	// accepted is the answer to every offer here.
	accepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
)

var offer = map[string]string{"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}

// newDeflateNode is a node that accepts permessage-deflate.
func newDeflateNode(t testing.TB) *node {
	n := newNode(t, hub.Settings{})
	n.deflate = true
	return n
}

// dialDeflate connects with permessage-deflate. The frames of the wire stay compressed.
func dialDeflate(t testing.TB, n *node) *wire {
	t.Helper()
	w, res := handshake(t, listen(t, n), offer)
	if got := res.Header.Get("Sec-Websocket-Extensions"); got != accepted {
		t.Fatalf("extensions %q", got)
	}
	return w
}

// squeeze makes a compressed message, without its last empty block.
func squeeze(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write([]byte(s))
	_ = z.Flush()
	return b.Bytes()[:b.Len()-4]
}

// unsqueeze reads a compressed message.
func unsqueeze(t testing.TB, p []byte) string {
	t.Helper()
	b, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDeflateConversation runs the whole way with somebody else's client. One of the members
// of the room has no compression.
func TestDeflateConversation(t *testing.T) {
	t.Parallel()
	n := newDeflateNode(t)
	secure := httptest.NewTLSServer(n)
	t.Cleanup(secure.Close)
	for _, url := range []string{"ws://" + listen(t, n), "wss" + strings.TrimPrefix(secure.URL, "https")} {
		t.Run(url[:strings.Index(url, ":")], func(t *testing.T) {
			t.Parallel()
			converse(t, newDeflateClient(t, url), newClient(t, url), newDeflateClient(t, url))
		})
	}
}

func newDeflateClient(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, EnableCompression: true}
	c, res, err := d.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	t.Cleanup(func() { _ = c.Close() })
	if got := res.Header.Get("Sec-Websocket-Extensions"); got != accepted {
		t.Fatalf("extensions %q", got)
	}
	return c
}

// TestDeflateStreams does the same over HTTP/2 and HTTP/3.
func TestDeflateStreams(t *testing.T) {
	t.Parallel()
	header := http.Header{"Sec-Websocket-Extensions": {offer["Sec-WebSocket-Extensions"]}}
	for _, c := range []struct {
		name string
		dial func(t *testing.T, n *node) (*wire, *http.Response)
	}{
		{"h2", func(t *testing.T, n *node) (*wire, *http.Response) { return dialH2(t, listenH2(t, n), header) }},
		{"h3", func(t *testing.T, n *node) (*wire, *http.Response) { return dialH3(t, listenH3(t, n), header) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, res := c.dial(t, newDeflateNode(t))
			if got := res.Header.Get("Sec-Websocket-Extensions"); got != accepted {
				t.Fatalf("extensions %q", got)
			}
			publishDeflated(t, w)
		})
	}
}

// publishDeflated sends a compressed message in three fragments with a ping between, and
// reads it compressed.
func publishDeflated(t *testing.T, w *wire) {
	t.Helper()
	w.expect("connected")
	w.join("open:x")
	content := `"` + strings.Repeat("so much to say ", 100) + `"`
	m := squeeze(t, `{"type":"message","payload":{"channel":"open:x","content":`+content+`}}`)
	w.send(
		frame{opText | rsv1, true, m[:10]}.encode(),
		control(opPing, "between"),
		frame{opContinue, true, m[10:11]}.encode(),
		frame{fin | opContinue, true, m[11:]}.encode(),
	)
	if f := w.next(); f.head != fin|opPong || string(f.payload) != "between" {
		t.Fatalf("frame %#x %q instead of a pong", f.head, f.payload)
	}
	f := w.next()
	if f.head != fin|opText|rsv1 || len(f.payload) > 300 {
		t.Fatalf("frame %#x of %d bytes: %q", f.head, len(f.payload), f.payload)
	}
	if got := unsqueeze(t, f.payload); !strings.Contains(got, content) {
		t.Errorf("the message is %q", got)
	}
}

func TestDeflateFragments(t *testing.T) {
	t.Parallel()
	publishDeflated(t, dialDeflate(t, newDeflateNode(t)))
}

// A client that offers nothing, and one whose offer can not be met, get plain frames.
func TestDeflateNotNegotiated(t *testing.T) {
	t.Parallel()
	addr := listen(t, newDeflateNode(t))
	for _, extensions := range []string{"", "permessage-deflate; server_max_window_bits=9"} {
		w, res := handshake(t, addr, map[string]string{"Sec-WebSocket-Extensions": extensions})
		if got, ok := res.Header["Sec-Websocket-Extensions"]; ok {
			t.Errorf("extensions %q", got)
		}
		w.expect("connected")
		w.send(frame{fin | opText | rsv1, true, squeeze(t, `{"type":"ping"}`)}.encode())
		w.wantClosed(1002, "RSV1")
	}
}

func TestBrokenDeflate(t *testing.T) {
	t.Parallel()
	const limit = 1000
	ping := `{"type":"ping","id":"1"}`
	padded := ping[:len(ping)-1] + strings.Repeat(" ", limit-len(ping)) + "}"
	first := fin | opText | rsv1
	frames := func(f ...frame) (all []byte) {
		for _, f := range f {
			f.masked = true
			all = append(all, f.encode()...)
		}
		return all
	}
	for _, c := range []struct {
		name string
		sent []byte
		code uint16 // 0: answered
		text string
	}{
		{"compressed", frames(frame{head: byte(first), payload: squeeze(t, ping)}), 0, ""},
		{"as long as allowed", frames(frame{head: byte(first), payload: squeeze(t, padded)}), 0, ""},
		{"plain, as long as allowed", text(padded), 0, ""},
		{"plain, a byte too long", text(" " + padded), 1009, "1000 bytes"},
		{"a byte too long", frames(frame{head: byte(first), payload: squeeze(t, " "+padded)}), 1009, "1000 bytes"},
		{"a bomb", frames(frame{head: byte(first), payload: squeeze(t, strings.Repeat("x", 900000))}), 1009, "1000 bytes"},
		{"a long compressed message", frames(frame{head: byte(first), payload: bytes.Repeat([]byte{0}, 2*limit)}), 1009, "1000 bytes"},
		{"a broken stream", frames(frame{head: byte(first), payload: []byte("\xff\xff\xff")}), 1007, "inflated"},
		{"not UTF-8", frames(frame{head: byte(first), payload: squeeze(t, "\"\xff\"")}), 1007, "UTF-8"},
		{"binary", frames(frame{head: fin | opBinary | rsv1, payload: squeeze(t, ping)}), 1003, ""},
		{"RSV1 on a continuation", frames(frame{head: opText, payload: []byte("{")}, frame{head: fin | opContinue | rsv1, payload: []byte("}")}), 1002, "RSV1"},
		{"RSV1 on a ping", frames(frame{head: fin | opPing | rsv1}), 1002, "RSV1"},
		{"RSV1 on a close frame", frames(frame{head: fin | opClose | rsv1}), 1002, "RSV1"},
		{"RSV2", frames(frame{head: fin | opText | 0x20}), 1002, "RSV2"},
		{"RSV1 and RSV3", frames(frame{head: fin | opText | rsv1 | 0x10}), 1002, "RSV3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newDeflateNode(t)
			n.limit(session.Limits{MessageSize: limit})
			w := dialDeflate(t, n)
			w.expect("connected")
			w.sent(c.sent)
			if c.code == 0 {
				w.expect("pong")
				return
			}
			w.wantClosed(c.code, c.text)
		})
	}
}

// The encoder compresses what is long enough and gets shorter.
func TestDeflateEncoder(t *testing.T) {
	t.Parallel()
	e := ws.Deflating(encoder)
	for _, c := range []struct {
		name    string
		payload string
		squeeze bool
	}{
		{"short", strings.Repeat("x", 255), false},
		{"long enough", strings.Repeat("x", 256), true},
		{"medium", strings.Repeat("0123456789", 1000), true},
		{"long", strings.Repeat("0123456789", 30000), true},
		{"no shorter", noise(1000), false},
		{"long and no shorter", noise(70000), false},
	} {
		b := e.AppendEvent([]byte("before"), raw(c.payload))
		f := decode(t, bytes.TrimPrefix(b, []byte("before")))
		if got := f.head == fin|opText|rsv1; got != c.squeeze {
			t.Errorf("%s: frame %#x", c.name, f.head)
		}
		got := string(f.payload)
		if c.squeeze {
			got = unsqueeze(t, f.payload)
		}
		if got != c.payload {
			t.Errorf("%s: another payload of %d bytes", c.name, len(got))
		}
	}
	if b := e.AppendEvent([]byte("x"), raw("")); string(b) != "x" {
		t.Errorf("an event without a form gave %q", b)
	}
	if f := decode(t, e.AppendEvent(nil, ws.Pong(strings.Repeat("p", 125)))); f.head != fin|opPong {
		t.Errorf("pong %#x", f.head)
	}
}

// noise is text that deflate can not make shorter.
func noise(n int) string {
	b, x := make([]byte, n), uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

// Connections with compression share their bytes, and the others theirs.
func TestDeflateEncodersAreEqual(t *testing.T) {
	t.Parallel()
	var plain hub.Encoder = encoder
	if a, b := ws.Deflating(encoder), ws.Deflating(encoder); a != b || a == plain {
		t.Error("the encoders do not compare as they should")
	}
}
