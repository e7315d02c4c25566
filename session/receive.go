package session

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Dialect is a wire protocol: it decodes the frames of a client, calls the operations of
// the session and sends the replies. One value serves all connections, or the transport gets a value
// of its own for each of them, which may keep state of the connection.
type Dialect interface {
	// Encoder encodes the events that the server sends, without the frame that a
	// transport puts around them. It is comparable: connections with equal encoders
	// share the bytes of a broadcast.
	Encoder() hub.Encoder
	// Receive handles one frame. The session calls it on the transport's reader, one
	// call at a time. It asks [Session.Spend] before it looks at the frame, and reports
	// offences to [Session.Offend]. Binary frames come only to dialects that take them.
	Receive(s *Session, frame []byte, binary bool)
}

// Named is an optional ability of a [Dialect]: a name for operators. Without it a dialect counts
// as the native one, whose events an event stream has as well.
type Named interface{ Name() string }

// Identifier is an optional ability of a [Dialect]: ids of connections in a form of its own, which
// are hard to guess and never the same. Without it the hub makes them.
type Identifier interface{ NewID() string }

// newID returns the id of the connection: that of a stream, or the one that the dialect gives it. It is empty if
// the dialect leaves it to the hub.
func (s *Session) newID(d Dialect) string {
	if s.fixed {
		s.proof = newProof()
		return streamID(s.proof)
	}
	if n, ok := d.(Identifier); ok {
		return n.NewID()
	}
	return ""
}

func dialectName(d Dialect) string {
	if n, ok := d.(Named); ok {
		return n.Name()
	}
	return "native"
}

// Receive hands one frame of the client to the dialect. It returns when the frame is
// answered or handed on and the client may send another. Only the transport's reader
// calls it.
func (s *Session) Receive(frame []byte, binary bool) {
	defer s.recovered()
	// A command may take a while: a publisher waits for space in a room, or the app is
	// asked. Meanwhile the client's frames are not read, so it must not count as silent.
	s.conn.Unread()
	s.received.Add(1)
	s.receivedBytes.Add(uint64(len(frame)))
	s.registry.rules.counts.receive(len(frame))
	if s.mayWait() {
		s.conn.Yield()
	}
	defer s.conn.Heard()
	defer s.conn.Uncork()
	s.dialect.Receive(s, frame, binary)
	if s.followed() {
		s.tell("message received", "bytes", len(frame))
	}
}

// mayWait reports whether commands may wait for a store or for the app. What waits in spite of a
// store in memory calls [hub.Conn.Yield] itself: it is rare.
func (s *Session) mayWait() bool {
	if !s.registry.hub.Prompt() {
		return true
	}
	u := s.registry.rules.Load()
	if !u.asksApp {
		return false
	}
	realm := u.realms[s.who().Realm]
	return realm.AsksApp()
}

// recovered ends a panic of a command: it is logged with its stack and closes the connection,
// and the process goes on.
func (s *Session) recovered() {
	v := recover()
	if v == nil {
		return
	}
	s.registry.rules.Load().log.Error("panic in a command",
		"panic", v, "connection", s.conn.ID(), "user", s.who().User, "stack", string(debug.Stack()))
	s.conn.Close(protocol.ReasonInternal)
}

// Context ends with the connection. A dialect passes it to operations.
func (s *Session) Context() context.Context { return s.ctx }

// MustAuthenticate returns the error UNAUTHORIZED for a client that must authenticate before
// it may do anything else. Every operation but Authenticate checks it. A dialect checks it
// earlier, before it decodes a payload.
func (s *Session) MustAuthenticate() *protocol.Error {
	return s.registry.rules.Load().mustAuthenticate(s.who())
}

// A connection is closed for more than maxViolations offences within violationWindow. A client
// that goes a little over its rate, or has a bug in one message, stays far below.
const (
	maxViolations   = 20
	violationWindow = 10 * time.Second
)

// maxPause is the longest time for which a client is left unread. It is short enough that a
// client that goes on sending still commits too many offences within one window.
const maxPause = violationWindow / (maxViolations + 5)

// Spend takes a token of the connection's message rate, for one frame. If there is none
// it returns the error RATE_LIMITED for the dialect to answer with, as an offence, and
// the time for which the dialect then calls [Session.Pause].
func (s *Session) Spend() (e *protocol.Error, pause time.Duration) {
	rate := s.registry.rules.Load().limits.Rate
	if rate.IsZero() {
		return nil, 0
	}
	wait := s.frames.take(rate, time.Now())
	if wait <= 0 {
		return nil, 0
	}
	pause = s.pauseFor(rate, wait)
	return s.registry.rules.counts.limit(limitConnection, rateLimited(max(wait, pause), "messages")), pause
}

// pauseFor returns how long to leave a client unread that has no token: until there is one,
// and at least for a tenth of the time in which its bucket fills. Two fillings of the bucket
// then pass before the connection is closed, so a flooder that reconnects for a full bucket
// gains no more than half of its rate.
//
// Answers to heartbeats are not read during a pause, so the pause is well below their timeout.
func (s *Session) pauseFor(r policy.Rate, wait time.Duration) time.Duration {
	filling := time.Duration(min(float64(r.Size())/r.PerSecond, 60) * float64(time.Second))
	return min(max(wait, filling/10), maxPause, s.registry.hub.Settings().Timeout/4)
}

// Pause leaves the client unread for a while, unless the connection ends. What the client
// goes on sending fills the buffers of the network and then waits with the client. So a
// flood costs the server a few frames each second, however large it is. To answer each
// frame with an error would cost about as much as to serve it.
func (s *Session) Pause(d time.Duration) {
	s.conn.Yield()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
	s.conn.Heard() // the client was not silent: nothing was read
}

// Violation answers an offence that the transport has found. Too many offences close the
// connection.
func (s *Session) Violation(e *protocol.Error) { s.Offend(protocol.ErrorReply{Err: e}) }

// Offend sends the reply to an offence and counts the offence. Too many close the
// connection.
func (s *Session) Offend(reply hub.Event) {
	s.conn.Send(reply)
	if s.tooMany(time.Now()) {
		s.CloseForAbuse(protocol.ReasonPolicy)
	}
}

// tooMany counts an offence and reports whether it is one too many.
func (s *Session) tooMany(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offences.Add(now, violationWindow) > maxViolations
}

// IsOffence reports whether an error shows that a client does not speak the protocol. A
// client that is not broken can run into the other errors: a permission that it lacks,
// or a room that takes less than the connection may send.
func IsOffence(c protocol.Code) bool {
	switch c {
	case protocol.InvalidJSON, protocol.InvalidMessage, protocol.InvalidChannel, protocol.UnknownType:
		return true
	}
	return false
}

// IsTokenOffence reports whether an error of [Session.Authenticate] rejects the token. It
// counts as an offence, because a client may be guessing tokens.
func IsTokenOffence(c protocol.Code) bool {
	return c == protocol.Unauthorized || c == protocol.TokenExpired || c == protocol.Forbidden
}
