package session

import "github.com/caddy-realtime/caddy-realtime/protocol"

// succession keeps the messages of one connection in order while some of them are rejected with
// RATE_LIMITED. A client that sends several messages without waiting for the answers marks each but
// the first with `after`. If one of them is over a rate, those behind it would pass a moment later, when
// there is a token again, and overtake it. So they are rejected as well, until a message comes without
// the mark: the client sends them again, in order.
//
// The transport's reader alone uses it.
type succession struct {
	// over is the error of the last message; nil if it was not RATE_LIMITED.
	over *protocol.Error
}

// Behind returns the error RATE_LIMITED for a message that must not overtake the one before it, and
// cannot be published for that reason.
func (s *Session) Behind(p protocol.Publish) *protocol.Error {
	if !p.After {
		return nil
	}
	return s.succession.over
}

// Published records how a message of the client ended, for the next one.
func (s *Session) Published(e *protocol.Error) {
	s.succession.over = nil
	if e != nil && e.Code == protocol.RateLimited {
		s.succession.over = e
	}
}
