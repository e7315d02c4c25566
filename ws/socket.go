package ws

import (
	"net"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// socket is the link of a hijacked HTTP/1.1 connection. newSocket makes one.
type socket struct {
	ending

	// Static.
	conn net.Conn
	hub  *hub.Hub // for the write timeout in force

	// Owned by the reader.
	early []byte // bytes that came with the handshake; they are read first
}

func (s *socket) init(h *hub.Hub, conn net.Conn, early []byte) {
	s.hub, s.conn, s.early = h, conn, early
	s.cut = func(bool) { _ = conn.Close() }
}

// Read is called by the reader alone.
func (s *socket) Read(p []byte) (int, error) {
	if len(s.early) == 0 {
		return s.conn.Read(p)
	}
	n := copy(p, s.early)
	if s.early = s.early[n:]; len(s.early) == 0 {
		s.early = nil // frees the memory
	}
	return n, nil
}

func (s *socket) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// Close says that the hub writes nothing more. The client sees the end of the stream right
// after the close frame, and does not wait for more.
func (s *socket) Close() {
	if !s.close() {
		return
	}
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// Write writes all of p within the hub's write timeout.
func (s *socket) Write(p []byte) error {
	if !s.beginWrite() {
		return net.ErrClosed
	}
	err := s.write(p)
	s.endWrite(err)
	return err
}

func (s *socket) write(p []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.hub.Settings().WriteTimeout)); err != nil {
		return err
	}
	if _, err := s.conn.Write(p); err != nil {
		return err
	}
	// TryWrite sets no deadline. It would fail with one that has passed.
	return s.conn.SetWriteDeadline(time.Time{})
}
