package sse_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A reader that reads nothing is given up after the write timeout or when its queue
// is full, and its handler, if it is in one, returns.
func TestStuckReader(t *testing.T) {
	t.Parallel()
	settings := hub.Settings{WriteTimeout: 100 * time.Millisecond}
	overEachWay(t, config{settings: settings}, func(t *testing.T, s *site) {
		s.open("channel=plain:1").begin(1)
		s.fill("plain:1")
		if code := s.end(); code != hub.ReasonSlow.Code && code != hub.ReasonLost.Code {
			t.Errorf("code %d", code)
		}
		select {
		case err := <-s.served:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the handler has not returned")
		}
	})
}

// fill publishes to a client that reads nothing until its connection has ended. When
// enough is on the way to fill all buffers there is no hurry any more.
func (s *site) fill(channel string) {
	s.t.Helper()
	content := `"` + strings.Repeat("x", 60<<10) + `"`
	for sent := 0; s.hub.Conns() > 0; sent += len(content) {
		if sent > 32<<20 {
			time.Sleep(10 * time.Millisecond)
		}
		s.publish(channel, content)
	}
}

// When a write is cut short, whoever holds the connection is told: the end of the
// stream cannot be written to it either. The timeout is longer than the machine may
// leave a write alone, because one that passes between two writes cuts none short.
func TestStuckIsTold(t *testing.T) {
	t.Parallel()
	settings := hub.Settings{QueueMessages: 1 << 20, QueueBytes: 1 << 30, WriteTimeout: time.Second}
	overEachWay(t, config{settings: settings}, func(t *testing.T, s *site) {
		s.open("channel=plain:1").begin(1)
		s.fill("plain:1")
		if code := s.end(); code != hub.ReasonLost.Code {
			t.Errorf("code %d", code)
		}
		<-s.served
		if told := len(s.stuck) > 0; told != s.inside {
			t.Errorf("told: %v", told)
		}
	})
}

// raw speaks HTTP by hand and gives the status line and header.
func (s *site) raw(request string) (net.Conn, *bufio.Reader, *http.Response) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return conn, in, res
}

func TestHTTP10(t *testing.T) {
	t.Parallel()
	for _, w := range []way{ways[0], ways[2]} {
		s := newSite(t, config{way: w})
		_, in, res := s.raw("GET /?channel=plain:1 HTTP/1.0\r\nHost: x\r\n\r\n")
		if res.StatusCode != http.StatusOK || res.TransferEncoding != nil || res.ContentLength >= 0 {
			t.Errorf("%s: %d %v %d", w.name, res.StatusCode, res.TransferEncoding, res.ContentLength)
		}
		st := &stream{source: newSource(in), t: t}
		st.begin(1)
		s.publish("plain:1", `1`)
		st.event("message")
		s.close()
		st.event("close")
		if _, err := st.next(); err != io.EOF {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}

// The stream is not chunked and ends with the connection, which the header says.
func TestHijackedHeader(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	_, _, res := s.raw("GET /?channel=plain:1 HTTP/1.1\r\nHost: x\r\n\r\n")
	if res.TransferEncoding != nil || !res.Close || res.Header.Get("Transfer-Encoding") != "" {
		t.Errorf("%v %v %v", res.TransferEncoding, res.Close, res.Header)
	}
}

// A client has nothing to say behind its request.
func TestChatter(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	conn, _, _ := s.raw("GET /?channel=plain:1 HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := io.WriteString(conn, strings.Repeat("x", 4<<10)); err != nil {
		t.Fatal(err)
	}
	if code := s.end(); code != protocol.ReasonPolicy.Code {
		t.Errorf("code %d", code)
	}
}

// marking is a writer as servers put around their own: it knows nothing but to
// change a header at the last moment.
type marking struct{ http.ResponseWriter }

func (m marking) Unwrap() http.ResponseWriter { return m.ResponseWriter }

func (m marking) WriteHeader(status int) {
	m.Header().Set("X-Mark", "1")
	m.ResponseWriter.WriteHeader(status)
}

func TestWrappedWriter(t *testing.T) {
	t.Parallel()
	c := config{around: func(h http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(marking{marking{w}}, r) }
	}}
	overEachWay(t, c, func(t *testing.T, s *site) {
		st := s.open("channel=plain:1").begin(1)
		if st.res.Header.Get("X-Mark") == "" {
			t.Error("the header did not go through the writer")
		}
		s.publish("plain:1", `1`)
		st.event("message")
	})
}

// A stream over a connection that was taken over must not keep the request in
// memory, nor the writers around it.
func TestHijackedKeepsNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	freed := make(chan string, 2)
	c := config{way: ways[0], around: func(h http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			wrapped := &marking{w}
			runtime.AddCleanup(wrapped, func(s string) { freed <- s }, "writer")
			runtime.AddCleanup(r, func(s string) { freed <- s }, "request")
			h.ServeHTTP(wrapped, r)
		}
	}}
	s := newSite(t, c)
	st := s.open("channel=plain:1&channel=kept:1").begin(2)
	<-s.served
	deadline := time.After(10 * time.Second)
	for left := 2; left > 0; {
		runtime.GC()
		select {
		case <-freed:
			left--
		case <-deadline:
			t.Fatalf("%d of 2 objects are still in memory", left)
		default:
		}
	}
	s.publish("kept:1", `1`)
	st.event("message")
}

// fragile is a writer that panics once it was written to a few times.
type fragile struct {
	marking
	writes *atomic.Int32
}

func (f fragile) Unwrap() http.ResponseWriter { return f.marking }

func (f fragile) Write(p []byte) (int, error) {
	if f.writes.Add(-1) < 0 {
		panic(http.ErrAbortHandler)
	}
	return f.marking.Write(p)
}

// A writer that panics costs its stream, at whatever moment, and nothing else.
func TestPanickingWriter(t *testing.T) {
	t.Parallel()
	for writes := range int32(3) {
		s := newSite(t, config{way: ways[2], around: func(h http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				left := new(atomic.Int32)
				left.Store(writes)
				h.ServeHTTP(fragile{marking{w}, left}, r)
			}
		}})
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/?channel=plain:1", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.client.Do(r)
		if err == nil {
			_ = res.Body.Close()
		}
		leave()
		if code := s.end(); code != hub.ReasonLost.Code {
			t.Errorf("code %d", code)
		}
	}
}
