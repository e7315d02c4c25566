package ws

import (
	"net"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/poller"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// recordGrace is how long the reader waits for the rest of a TLS record. After that, the rest waits
// in the poller like a next record.
const recordGrace = 100 * time.Millisecond

// watched is the link of a hijacked TLS connection. The poller waits for bytes on the wire. While
// the client is silent, the reader has neither a goroutine nor a buffer nor an engine.
type watched struct {
	socket
	wire   *poller.Watch
	reader *reader
}

// newWatched returns nil if the poller can not wait for the connection.
func newWatched(h *hub.Hub, conn net.Conn, early []byte) *watched {
	wire := poller.NewWatch(conn)
	if wire == nil {
		return nil
	}
	s := &watched{wire: wire}
	s.init(h, conn, early)
	s.cut = s.cutWire
	return s
}

func (s *watched) cutWire(bool) {
	s.wire.Stop()
	_ = s.conn.Close()
}

// startWatched runs a connection whose reader waits in the poller. It returns false, and has done
// nothing, if the poller can not wait for this connection.
func startWatched(conn net.Conn, early []byte, t terms) bool {
	s := newWatched(t.registry.Hub(), conn, early)
	if s == nil {
		return false
	}
	s.reader = newReader(s, t)
	go s.open(t.principal)
	return true
}

// open opens the session and handles what came with the handshake. Before Wait, nothing else
// reads.
func (s *watched) open(p *session.Principal) {
	defer s.reader.recovered()
	if s.reader.open(p) {
		s.read(past)
	}
}

// Readable implements [poller.Handler].
func (s *watched) Readable() {
	defer s.reader.recovered()
	s.read(time.Now().Add(recordGrace))
}

// read handles what arrives before a deadline, and after that what the TLS connection has read
// beyond it: by a deadline that has passed, it returns the bytes that it has and reads none from the
// wire. An expired deadline is no end of a TLS connection. Then it waits in the poller: what is left is on the wire.
func (s *watched) read(due time.Time) {
	for r := s.reader; !r.over; due = past {
		_ = s.SetReadDeadline(due) // Read returns the error
		b := getBuffer()
		n, err := s.Read((*b)[:cap(*b)])
		_ = s.SetReadDeadline(time.Time{}) // the reader has deadlines of its own
		if *b = (*b)[:n]; n > 0 {
			err = nil // the next Read returns it again
		}
		if err != nil && isTimeout(err) {
			putBuffer(b)
			break
		}
		r.handle(b, err)
	}
	if !s.reader.over && s.wire.Wait(s) != nil {
		s.reader.lose()
	}
}
