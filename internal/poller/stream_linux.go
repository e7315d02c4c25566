package poller

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// maxKept is how many bytes a Stream keeps before it is open.
const maxKept = 4 << 10

// Stream is the way to the client of a connection that is still being made: an HTTP server has
// it, and the answer to the request is not sent. What is written before [Stream.Open] is kept,
// so that it leaves together with that answer, in one write.
type Stream struct {
	conn atomic.Pointer[Conn] // nil until Open

	mu    sync.Mutex
	early *early // guarded by mu; nil: there is none, or the stream is open
}

// early is what happened to a Stream before Open.
type early struct {
	kept   []byte
	sealed bool        // nothing more is kept
	half   bool        // CloseWrite was called
	closed bool        // Close was called
	wait   func(error) // see WhenWritable; called by Open
}

// before returns the part for what happens before Open. Needs mu.
func (s *Stream) before() *early {
	if s.early == nil {
		s.early = new(early)
	}
	return s.early
}

// Conn returns the connection, or nil before Open.
func (s *Stream) Conn() *Conn { return s.conn.Load() }

// Yield is [Conn.Yield]. Before Open no Handler is called.
func (s *Stream) Yield() {
	if c := s.conn.Load(); c != nil {
		c.Yield()
	}
}

// TryWrite is [Conn.TryWrite]. Before Open it keeps a few bytes.
func (s *Stream) TryWrite(p []byte) (int, error) {
	if c := s.conn.Load(); c != nil {
		return c.TryWrite(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conn.Load(); c != nil {
		return c.TryWrite(p)
	}
	e := s.before()
	switch {
	case e.closed:
		return 0, net.ErrClosed
	case e.sealed || len(e.kept)+len(p) > maxKept:
		return 0, nil // Open calls whoever waits
	}
	e.kept = append(e.kept, p...)
	return len(p), nil
}

// WhenWritable is [Conn.WhenWritable]. Before Open it waits for Open, whatever within says.
func (s *Stream) WhenWritable(within time.Duration, f func(error)) {
	if c := s.conn.Load(); c != nil {
		c.WhenWritable(within, f)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conn.Load(); c != nil {
		c.WhenWritable(within, f)
		return
	}
	if e := s.before(); e.closed {
		go call(f, net.ErrClosed)
	} else {
		e.wait = f
	}
}

// Write writes all of p, and waits for space at most as long as within altogether.
func (s *Stream) Write(p []byte, within time.Duration) error {
	due := time.Now().Add(within)
	for {
		n, err := s.TryWrite(p)
		if err != nil || n == len(p) {
			return err
		}
		p = p[n:]
		done := make(chan error, 1)
		s.Yield()
		s.WhenWritable(time.Until(due), func(err error) { done <- err })
		if err := <-done; err != nil {
			return err
		}
	}
}

// Kept returns what was written so far. Until Open, nothing more is kept.
func (s *Stream) Kept() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.before()
	kept := e.kept
	e.kept, e.sealed = nil, true
	return kept
}

// Open lets writes pass to c. If the stream was closed before, Open closes c.
func (s *Stream) Open(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn.Store(c)
	e := s.before()
	s.early = nil
	if e.half {
		_ = c.CloseWrite()
	}
	if e.closed {
		_ = c.Close()
	}
	if e.wait != nil {
		go call(e.wait, nil)
	}
}

// CloseWrite ends the stream to the client, behind what is kept.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conn.Load(); c != nil {
		return c.CloseWrite()
	}
	s.before().half = true
	return nil
}

// Close closes the connection. Before Open, what is kept is dropped.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conn.Load(); c != nil {
		return c.Close()
	}
	e := s.before()
	e.closed, e.kept = true, nil
	if f := e.wait; f != nil {
		e.wait = nil
		go call(f, net.ErrClosed)
	}
	return nil
}

func call(f func(error), err error) {
	defer guard.Recover(nil, "a connection that can be written")
	f(err)
}
