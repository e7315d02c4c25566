package sse

import (
	"io"
	"net"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// unreadable is a connection whose reads have a bug, which shows when hit is closed.
type unreadable struct {
	net.Conn
	reading, hit chan struct{}
}

func (u unreadable) Read([]byte) (int, error) {
	close(u.reading)
	<-u.hit
	panic("a bug")
}

// A stream whose connection can not be read is closed, and the hub goes on. The panic is
// logged by the logger of that time: a stream may be older than the configuration.
func TestPanicInTheReaderOfAStream(t *testing.T) {
	t.Parallel()
	log := new(panictest.Log)
	h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return memory.New(s, memory.Options{}), nil })
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	stream, ended := newHijacked(nil, Options{Registry: session.New(h)}), make(chan hub.Reason, 1)
	conn := unreadable{near, make(chan struct{}), make(chan struct{})}
	stream.take(conn)
	stream.lift()
	c, err := h.Connect(hub.ConnOptions{Transport: stream, Encoder: Encoder{}, OnClose: func(r hub.Reason) { ended <- r }})
	if err != nil {
		t.Fatal(err)
	}
	stream.run(t.Context(), c)
	<-conn.reading
	h.Apply(hub.Settings{Logger: log.Logger()})
	close(conn.hit)
	_, _ = io.Copy(io.Discard, far) // until the connection is closed
	if r := <-ended; r != protocol.ReasonInternal {
		t.Errorf("the stream ended with %v", r)
	}
	log.Once(t, "the reader of an event stream", "a bug")
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
