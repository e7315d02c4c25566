package ws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// deadlineWriter routes read deadlines to somebody in the middle of the chain, like
// servers do that have an idle timeout of their own.
type deadlineWriter struct {
	plainWriter
	mu  sync.Mutex
	set []time.Time
}

func (w *deadlineWriter) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set = append(w.set, t)
	return http.NewResponseController(w.ResponseWriter).SetReadDeadline(t)
}

// chained puts n behind writers like those of Caddy.
func chained(n *node) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recordWriter{plainWriter: plainWriter{&plainWriter{&deadlineWriter{plainWriter: plainWriter{w}}}}}
		n.ServeHTTP(&headerWriter{plainWriter{rec}}, r)
	})
}

// listenH2 serves h on HTTP/2, with x/net's server as Caddy does.
func listenH2(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if err := http2.ConfigureServer(s.Config, &http2.Server{}); err != nil {
		t.Fatal(err)
	}
	s.TLS = s.Config.TLSConfig
	s.StartTLS()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "https://")
}

// duplex is the two directions of a stream.
type duplex struct {
	io.Reader
	io.WriteCloser
}

// dialH2 opens a WebSocket with x/net's client.
func dialH2(t testing.TB, addr string, header http.Header) (*wire, *http.Response) {
	t.Helper()
	tr := &http2.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(tr.CloseIdleConnections)
	body, out := io.Pipe()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodConnect, "https://"+addr+"/realtime", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	for k, v := range header {
		r.Header[k] = v
	}
	res, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close(); _ = res.Body.Close() })
	return newWire(t, duplex{res.Body, out}), res
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listenH2(t, chained(n))
	testStreams(t, n, func(t *testing.T, h http.Header) (*wire, *http.Response) { return dialH2(t, addr, h) })
}

// testStreams is what holds for HTTP/2 and HTTP/3 alike.
func testStreams(t *testing.T, n *node, dial func(*testing.T, http.Header) (*wire, *http.Response)) {
	t.Run("handshake", func(t *testing.T) {
		t.Parallel()
		w, res := dial(t, http.Header{"Sec-Websocket-Protocol": {"realtime.v1"}})
		defer w.hangUp()
		if res.StatusCode != 200 || res.Header.Get("Sec-Websocket-Protocol") != "realtime.v1" ||
			res.Header.Get("X-Late") != "yes" || res.Header.Get("Sec-Websocket-Accept") != "" {
			t.Errorf("%s %v", res.Status, res.Header)
		}
		w.expect("connected")
	})
	t.Run("old version", func(t *testing.T) {
		t.Parallel()
		_, res := dial(t, http.Header{"Sec-Websocket-Version": {"8"}})
		if res.StatusCode != 426 || res.Header.Get("Sec-Websocket-Version") != "13" {
			t.Errorf("%s %v", res.Status, res.Header)
		}
		wantProblem(t, res, "version 13")
	})
	t.Run("conversation", func(t *testing.T) {
		t.Parallel()
		a, _ := dial(t, nil)
		b, _ := dial(t, nil)
		for _, w := range []*wire{a, b} {
			defer w.hangUp()
			w.expect("connected")
			w.join("open:x")
		}
		content := `"` + strings.Repeat("long ", 12000) + `"` // more than a flow control window takes
		for range 5 {
			a.send(text(`{"type":"message","payload":{"channel":"open:x","content":` + content + `}}`))
			for _, w := range []*wire{a, b} {
				if e := w.expect("message"); string(e.Payload.Content) != content {
					t.Errorf("%d bytes of content", len(e.Payload.Content))
				}
			}
		}
	})
	t.Run("client closes", func(t *testing.T) {
		t.Parallel()
		w, _ := dial(t, nil)
		w.expect("connected")
		w.send(closing(4001, "bye"))
		if code, _ := w.closed(); code != 4001 {
			t.Errorf("answered %d", code)
		}
		w.wantEnd()
	})
	t.Run("server closes", func(t *testing.T) {
		t.Parallel()
		w, _ := dial(t, nil)
		c := n.conn(w)
		c.Send(hub.Gap{Channel: "open:x"})
		c.Close(hub.Reason{Code: 4403, Text: "out"})
		w.expect("gap")
		if code, text := w.closed(); code != 4403 || text != "out" {
			t.Errorf("closed with %d %q", code, text)
		}
		w.send(closing(4403, ""))
		w.wantEnd()
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		w, _ := dial(t, nil)
		w.expect("connected")
		w.send(control(opBinary, "x"))
		w.wantClosed(1003, "binary")
	})
	t.Run("pings", func(t *testing.T) {
		t.Parallel()
		w, _ := dial(t, nil)
		w.expect("connected")
		w.send(control(opPing, "x"))
		if f := w.next(); f.head != fin|opPong || string(f.payload) != "x" {
			t.Errorf("frame %#x %q", f.head, f.payload)
		}
		w.hangUp()
		w.wantEnd()
	})
}

// hangUp ends the client's direction without a close frame.
func (w *wire) hangUp() { _ = w.rw.(io.Closer).Close() }

// rawH2 is a client of single frames, for what a real one would not do or show.
type rawH2 struct {
	t      testing.TB
	conn   net.Conn
	framer *http2.Framer
	data   bytes.Buffer // of the stream
}

func dialRawH2(t testing.TB, addr string, window uint32) *rawH2 {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := &rawH2{t: t, conn: conn, framer: http2.NewFramer(conn, conn)}
	_, _ = io.WriteString(conn, http2.ClientPreface)
	c.check(c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}))
	c.check(c.framer.WriteSettingsAck())
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"},
		{":path", "/"}, {":authority", addr}, {"sec-websocket-version", "13"},
	} {
		c.check(enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
	}
	c.check(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
	return c
}

func (c *rawH2) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// until reads frames of the stream, collecting its data, until want is satisfied.
func (c *rawH2) until(want func(http2.Frame) bool) {
	c.t.Helper()
	for {
		f, err := c.framer.ReadFrame()
		if err != nil {
			c.t.Fatal(err)
		}
		if d, ok := f.(*http2.DataFrame); ok {
			c.data.Write(d.Data())
		}
		if f.Header().StreamID == 1 && want(f) {
			return
		}
	}
}

func hasData(f http2.Frame) bool { return f.Header().Type == http2.FrameData }

// ended recognizes the end of the stream and fails the test when it is a reset.
func (c *rawH2) ended(f http2.Frame) bool {
	if r, ok := f.(*http2.RSTStreamFrame); ok {
		c.t.Errorf("reset with %v", r.ErrCode)
		return true
	}
	return f.Header().Flags.Has(http2.FlagDataEndStream)
}

// Whoever closes, the stream ends with END_STREAM.
func TestHTTP2EndsCleanly(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listenH2(t, chained(n))
	t.Run("client", func(t *testing.T) {
		t.Parallel()
		c := dialRawH2(t, addr, 1<<20)
		c.until(hasData)
		c.check(c.framer.WriteData(1, true, closing(1000, "")))
		c.until(c.ended)
		if !bytes.HasSuffix(c.data.Bytes(), []byte{fin | opClose, 8, 1000 >> 8, 1000 & 0xFF, 'c', 'l', 'o', 's', 'e', 'd'}) {
			t.Errorf("the stream ends with %q", c.data.Bytes())
		}
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		c := dialRawH2(t, addr, 1<<20)
		c.until(hasData)
		w := newWire(t, duplex{&c.data, nil})
		n.conn(w).Close(hub.ReasonRestart)
		c.until(hasData)
		c.check(c.framer.WriteData(1, true, closing(1012, "")))
		c.until(c.ended)
	})
}

// A client that grants no flow control is reset after the write timeout, and
// leaves neither a goroutine nor a connection behind.
func TestHTTP2StuckInFlowControl(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{WriteTimeout: 50 * time.Millisecond})
	returned := make(chan struct{})
	h := chained(n)
	n.stuck = make(chan *http.Request, 1)
	addr := listenH2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		close(returned)
	}))
	c := dialRawH2(t, addr, 10)
	c.until(func(f http2.Frame) bool { return f.Header().Type == http2.FrameRSTStream })
	<-returned
	if r := <-n.stuck; r.ProtoMajor != 2 {
		t.Errorf("told that a connection of %s may be stuck", r.Proto)
	}
	for n.hub.Conns() > 0 { // the hub may be the last to notice
		runtime.Gosched()
	}
}

// A client that resets a stuck stream sets the handler free.
func TestHTTP2ResetWhileStuck(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{WriteTimeout: time.Hour})
	returned := make(chan struct{})
	addr := listenH2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.ServeHTTP(w, r)
		close(returned)
	}))
	c := dialRawH2(t, addr, 10)
	c.until(hasData)
	c.check(c.framer.WriteRSTStream(1, http2.ErrCodeCancel))
	<-returned
}

func TestKeepStream(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	kept := make(chan string, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := n.options()
		o.KeepStream = func(_ http.ResponseWriter, r *http.Request) io.Reader {
			kept <- r.Proto
			return r.Body
		}
		if err := ws.Serve(w, r, o); err != nil {
			t.Error(err)
		}
	})
	w, _ := dialH2(t, listenH2(t, h), nil)
	w.expect("connected")
	if got := <-kept; got != "HTTP/2.0" {
		t.Errorf("called for %q", got)
	}
	w.hangUp()
	w.wantEnd()
}

func TestHTTP2HidingWriterIsNamed(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	addr := listenH2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.ServeHTTP(&plainWriter{&hidingWriter{w}}, r)
	}))
	_, res := dialH2(t, addr, nil)
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != 500 || !strings.Contains(string(body), "*ws_test.hidingWriter") {
		t.Errorf("%s %q %v", res.Status, body, err)
	}
}
