package session

import (
	"encoding/json"
	"runtime/debug"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Receive handles one text frame of the client and returns when it is answered or
// handed on, and the client may send another. Only the transport's reader calls it.
func (s *Session) Receive(frame []byte) {
	defer s.recovered()
	// A command may take a while: a publisher waits for space in a room, or the app is
	// asked. Meanwhile nothing of the client is read, and its silence proves nothing.
	s.conn.Unread()
	defer s.conn.Heard()
	rate := s.registry.rules.Load().limits.Rate
	if wait := s.frames.take(rate, time.Now()); wait > 0 {
		s.slowDown(frame, rate, wait)
		return
	}
	cmd, e := protocol.Decode(frame)
	if e == nil {
		e = s.run(cmd)
	}
	switch {
	case e == nil:
	case malformed(e.Code), refusedToken(cmd.Type, e.Code):
		s.offend(cmd.ID, e)
	default:
		s.conn.Send(protocol.ErrorReply{ID: cmd.ID, Err: e})
	}
}

// Violation answers an offence that the transport has seen and that the connection
// survives. Too many offences end it.
func (s *Session) Violation(e *protocol.Error) { s.offend(nil, e) }

func (s *Session) offend(id json.RawMessage, e *protocol.Error) {
	s.conn.Send(protocol.ErrorReply{ID: id, Err: e})
	if s.tooMany(time.Now()) {
		s.ThrowOut(protocol.ReasonPolicy)
	}
}

func (s *Session) tooMany(now time.Time) (too bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offences, too = s.offences.add(now)
	return too
}

// recovered keeps a mistake in a command from ending the process: it costs the
// connection that hit it, and is logged with its stack.
func (s *Session) recovered() {
	v := recover()
	if v == nil {
		return
	}
	s.registry.rules.Load().log.Error("panic in a command",
		"panic", v, "connection", s.conn.ID(), "user", s.who().User, "stack", string(debug.Stack()))
	s.conn.Close(protocol.ReasonInternal)
}
