//go:build unix

package ws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// tcp gives both ends of a TCP connection.
func tcp(t testing.TB) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := new(net.Dialer).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close(), s.Close() })
	return s.(*net.TCPConn), c.(*net.TCPConn)
}

// TestTryWrite fills a socket: what was taken is what arrives, and a full socket
// is no error.
func TestTryWrite(t *testing.T) {
	t.Parallel()
	server, client := tcp(t)
	s := newSocket(newHub(t, hub.Settings{}), server, nil)
	try := s.(hub.TryWriter)
	chunk := bytes.Repeat([]byte("0123456789"), 10000)
	var sent []byte
	for {
		n, err := try.TryWrite(chunk)
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, chunk[:n]...)
		if n == 0 {
			break
		}
	}
	s.abort()
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of %d arrived, %v", len(got), len(sent), err)
	}
	if _, err := try.TryWrite(chunk); err == nil {
		t.Error("a write to a closed socket succeeded")
	}
}

// The deadline of a Write must not concern a later TryWrite. It is long enough for a
// Write that the machine has no time for at once.
func TestDeadlineIsLifted(t *testing.T) {
	t.Parallel()
	server, client := tcp(t)
	const timeout = 500 * time.Millisecond
	s := newSocket(newHub(t, hub.Settings{WriteTimeout: timeout}), server, nil)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	if err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < timeout+timeout/10; time.Sleep(time.Millisecond) {
		if _, err := s.(hub.TryWriter).TryWrite([]byte("y")); err != nil {
			t.Fatal(err)
		}
	}
	s.abort()
}

// A client that takes nothing makes Write give up, and then Close ends the
// connection at once.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	server, _ := tcp(t)
	s := newSocket(newHub(t, hub.Settings{WriteTimeout: 20 * time.Millisecond}), server, nil)
	var err error
	for err == nil {
		err = s.Write(make([]byte, 1<<20))
	}
	if !isTimeout(err) {
		t.Errorf("%v, want a timeout", err)
	}
	s.Close()
	if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, want a closed connection", err)
	}
}

// halves is a connection that notes how it is closed.
type halves struct {
	net.Conn
	wrote, closed atomic.Bool
}

func (h *halves) CloseWrite() error { h.wrote.Store(true); return nil }
func (h *halves) Close() error      { h.closed.Store(true); return nil }

// Close ends one direction and leaves the other for the client's answer.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := new(halves)
		s := newSocket(newHub(t, hub.Settings{}), conn, nil)
		s.Close()
		if !conn.wrote.Load() || conn.closed.Load() {
			t.Errorf("at first: half %v, whole %v", conn.wrote.Load(), conn.closed.Load())
		}
		time.Sleep(linger)
		synctest.Wait()
		if !conn.closed.Load() {
			t.Error("never closed")
		}
	})
}

// Only bare TCP can be written to without waiting.
func TestNoTryWrite(t *testing.T) {
	t.Parallel()
	server, _ := tcp(t)
	if _, can := newSocket(newHub(t, hub.Settings{}), struct{ net.Conn }{server}, nil).(hub.TryWriter); can {
		t.Error("a wrapped connection claims it")
	}
}

func BenchmarkTryWrite(b *testing.B) {
	server, client := tcp(b)
	try := newSocket(newHub(b, hub.Settings{}), server, nil).(hub.TryWriter)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	p := make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		for n := 0; n == 0; {
			n, _ = try.TryWrite(p)
		}
	}
}
