package ws

import (
	"encoding/binary"
	"net"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

var _ net.Conn = (*engine)(nil)

// Read gives gorilla what the client sends. It is where the bounds of a message
// are kept, because gorilla shows neither fragments nor the headers of unfinished
// frames.
func (e *engine) Read(p []byte) (int, error) {
	switch {
	case len(e.early) > 0:
		n := copy(p, e.early)
		e.early = e.early[n:]
		e.raw += n
		return n, nil
	case e.settled:
		e.settled = false
		return 0, errQuiet
	case e.inside && e.raw-e.payload > maxOverhead:
		return 0, errFragments
	case e.inside:
		e.bound()
	}
	n, err := e.reader.link.Read(p)
	e.raw += n
	if n > 0 {
		e.arrived()
	}
	if err != nil {
		e.late = e.bounded && isTimeout(err)
	}
	return n, err
}

// Write goes nowhere. The close frame that gorilla makes when a client breaks the
// rules of framing says which, and is kept as the verdict.
func (e *engine) Write(p []byte) (int, error) {
	if len(p) >= 4 && p[0] == headClose {
		e.verdict = hub.Reason{Code: binary.BigEndian.Uint16(p[2:]), Text: string(p[4:])}
	}
	return len(p), nil
}

// Close does nothing: the link has its own end.
func (e *engine) Close() error { return nil }

func (e *engine) LocalAddr() net.Addr              { return nil }
func (e *engine) RemoteAddr() net.Addr             { return nil }
func (e *engine) SetDeadline(time.Time) error      { return nil }
func (e *engine) SetReadDeadline(time.Time) error  { return nil }
func (e *engine) SetWriteDeadline(time.Time) error { return nil }
