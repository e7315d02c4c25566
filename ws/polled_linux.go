package ws

import (
	"bufio"
	"net"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/poller"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// polled is the link of a hijacked connection that waits in the poller. While it is silent it
// has neither a goroutine nor a buffer.
type polled struct {
	ending
	poller.Stream

	hub *hub.Hub // static
}

var (
	_ link            = (*polled)(nil)
	_ hub.WriteWaiter = (*polled)(nil)
	_ hub.Yielder     = (*polled)(nil)
)

// newPolled returns the link of a connection whose handshake is not answered yet.
func newPolled(h *hub.Hub) *polled {
	s := &polled{hub: h}
	s.cut = s.cutStream
	return s
}

func (s *polled) cutStream(bool) { _ = s.Stream.Close() }

// WhenWritable counts the wait as a write that is stuck, so that Close does not wait for the
// client's answer.
func (s *polled) WhenWritable(within time.Duration, f func(error)) {
	if !s.beginWrite() {
		within = 0 // the stream is closed, or will be at once
	}
	s.Stream.WhenWritable(within, func(err error) {
		s.endWrite(err)
		f(err)
	})
}

// Read is called by the reader alone.
func (s *polled) Read(p []byte) (int, error) { return s.Conn().Read(p) }

func (s *polled) SetReadDeadline(t time.Time) error { return s.Conn().SetReadDeadline(t) }

// Close says that the hub writes nothing more. The client sees the end of the stream right
// after the close frame, and does not wait for more.
func (s *polled) Close() {
	if s.close() {
		_ = s.CloseWrite()
	}
}

// Write writes all of p within the hub's write timeout. The hub does not call it; the reader
// does, for a client without a session.
func (s *polled) Write(p []byte) error {
	if !s.beginWrite() {
		return net.ErrClosed
	}
	err := s.Stream.Write(p, s.hub.Settings().WriteTimeout)
	s.endWrite(err)
	return err
}

// holdAnswer makes the answer to the handshake wait for the first event, so that both leave in one
// packet: net/http writes the answer when the connection is taken from it. Until releaseAnswer, the
// kernel keeps what is written.
func holdAnswer(conn net.Conn) {
	if poller.Takes(conn) {
		rawtcp.SetCork(conn, true)
	}
}

func releaseAnswer(conn net.Conn) {
	if poller.Takes(conn) {
		rawtcp.SetCork(conn, false)
	}
}

// startPolled runs a connection in the poller. It returns false, and has done nothing, if the
// poller can not wait for this connection.
//
// The session is opened before the answer to the handshake is sent, so that the first event
// leaves together with the answer. No goroutine is started for that, because nothing waits.
func startPolled(conn net.Conn, answer *bufio.Writer, early []byte, t terms) (bool, error) {
	c := poller.Take(conn)
	if c == nil {
		return false, nil
	}
	l := newPolled(t.registry.Hub())
	r := newReader(l, t)
	e := r.enterPolled(t.principal)
	_, _ = answer.Write(l.Kept()) // Flush returns the error
	err := answer.Flush()
	releaseAnswer(conn)
	_ = conn.Close() // from here on only c is used
	l.Open(c)
	switch {
	case err != nil:
		r.lose()
	case e != nil:
		go r.rejectPolled(e)
	case len(early) > 0:
		go r.readEarly(early)
	case c.Start(r) != nil:
		r.lose()
	}
	return true, err
}

func (r *reader) enterPolled(p *session.Principal) *protocol.Error {
	defer r.recovered()
	return r.enter(p)
}

func (r *reader) rejectPolled(e *protocol.Error) {
	defer r.recovered()
	r.reject(e)
}

// lose ends a connection that can not be used. There may be no session.
func (r *reader) lose() {
	if r.peer != nil {
		r.end(hub.ReasonLost, true)
	}
	r.link.abort()
}

// readEarly handles what came with the handshake, and then waits for more.
func (r *reader) readEarly(early []byte) {
	defer r.recovered()
	b := getBuffer()
	*b = append(*b, early...)
	if r.handle(b, nil) && r.link.(*polled).Conn().Start(r) != nil {
		r.lose()
	}
}

// Readable implements [poller.Handler]: it reads what has arrived. Others wait for it while it
// handles a few small commands. More than fills a buffer may be a flood, or costly to decode: then it
// yields.
func (r *reader) Readable() {
	defer r.recovered()
	c := r.link.(*polled).Conn()
	for more := !r.over; more; more = !r.over && c.Left() {
		b := getBuffer()
		n, err := c.TryRead((*b)[:cap(*b)])
		if *b = (*b)[:n]; n == 0 && err == nil {
			putBuffer(b)
			return
		}
		if n >= firstBuffer {
			c.Yield()
		}
		r.handle(b, err)
	}
}
