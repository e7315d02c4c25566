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

	// Guarded by mu.
	mu     sync.Mutex
	kept   []byte
	sealed bool        // nothing more is kept
	half   bool        // CloseWrite was called before Open
	closed bool        // Close was called before Open
	wait   func(error) // see WhenWritable; called by Open
}

// TryWrite is [Conn.TryWrite]. Before Open it keeps a few bytes.
func (s *Stream) TryWrite(p []byte) (int, error) {
	if c := s.conn.Load(); c != nil {
		return c.TryWrite(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.sealed || len(s.kept)+len(p) > maxKept:
		return 0, nil // Open calls whoever waits
	}
	s.kept = append(s.kept, p...)
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
	switch c := s.conn.Load(); {
	case c != nil:
		c.WhenWritable(within, f)
	case s.closed:
		go call(f, net.ErrClosed)
	default:
		s.wait = f
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
	kept := s.kept
	s.kept, s.sealed = nil, true
	return kept
}

// Open lets writes pass to c. If the stream was closed before, Open closes c.
func (s *Stream) Open(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn.Store(c)
	if s.half {
		_ = c.CloseWrite()
	}
	if s.closed {
		_ = c.Close()
	}
	if f := s.wait; f != nil {
		s.wait = nil
		go call(f, nil)
	}
}

// CloseWrite ends the stream to the client, behind what is kept.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.half = true
	if c := s.conn.Load(); c != nil {
		return c.CloseWrite()
	}
	return nil
}

// Close closes the connection. Before Open, what is kept is dropped.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.kept = true, nil
	if c := s.conn.Load(); c != nil {
		return c.Close()
	}
	if f := s.wait; f != nil {
		s.wait = nil
		go call(f, net.ErrClosed)
	}
	return nil
}

func call(f func(error), err error) {
	defer guard.Recover(nil, "a connection that can be written")
	f(err)
}
