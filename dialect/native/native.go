// Package native is the project's own dialect, the protocol of package protocol on
// WebSocket frames: one table from the type of a command to a function.
//
// A command is a function in the file of its family and a line in the table. It decodes
// its payload, calls one operation of the session and sends the reply. It returns the
// error instead of sending it, so that [Dialect.Receive] answers each command once. Limits,
// identity, rooms and the order of the checks belong to the session.
//
// The dialect has no state and starts no goroutine. Event streams use the same envelopes in one
// direction; package sse encodes them itself.
package native

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Dialect is the native dialect. Its zero value is ready.
type Dialect struct{}

var _ session.Dialect = Dialect{}

// command handles one type of command. It sends the reply, or returns an error.
type command func(ctx context.Context, s *session.Session, c protocol.Command) *protocol.Error

// commands are the types that clients may send.
var commands = map[string]command{
	protocol.TypeAuthenticate: authenticate,
	protocol.TypeSubscribe:    subscribe,
	protocol.TypeUnsubscribe:  unsubscribe,
	protocol.TypeMessage:      publish,
	protocol.TypeHistory:      history,
	protocol.TypePing:         ping,
	protocol.TypePresence:     members,
	protocol.TypeChange:       change,
	protocol.TypeCall:         call,
}

// Receive implements [session.Dialect].
func (Dialect) Receive(s *session.Session, frame []byte, _ bool) {
	if e, pause := s.Spend(); e != nil {
		c, bad := protocol.Decode(frame) // for its id
		if bad != nil {
			e = bad
		}
		if c.Type == protocol.TypeMessage {
			s.Published(e)
		}
		rejected(s, c.Type, e)
		s.Offend(protocol.ErrorReply{ID: c.ID, Err: e})
		s.Pause(pause)
		return
	}
	c, e := protocol.Decode(frame)
	if e == nil {
		e = run(s, c)
	}
	rejected(s, c.Type, e)
	switch {
	case e == nil:
	case e.FromApp:
		s.Conn().Send(protocol.ErrorReply{ID: c.ID, Err: e})
	case session.IsOffence(e.Code), c.Type == protocol.TypeAuthenticate && session.IsTokenOffence(e.Code):
		s.Offend(protocol.ErrorReply{ID: c.ID, Err: e})
	default:
		s.Conn().Send(protocol.ErrorReply{ID: c.ID, Err: e})
	}
}

// rejected counts the error of a command. Types that are not in the table are the client's
// own words, and count together.
func rejected(s *session.Session, command string, e *protocol.Error) {
	if e == nil {
		return
	}
	if _, known := commands[command]; !known {
		command = "unknown"
	}
	s.Rejected(command, e)
}

func run(s *session.Session, c protocol.Command) *protocol.Error {
	handle, known := commands[c.Type]
	if !known {
		return protocol.UnknownTypeError(c.Type)
	}
	if c.Type != protocol.TypeAuthenticate && c.Type != protocol.TypePing {
		if e := s.MustAuthenticate(); e != nil {
			return e
		}
	}
	return handle(s.Context(), s, c)
}

// Name implements [session.Named].
func (Dialect) Name() string { return "native" }

// Encoder implements [session.Dialect].
func (Dialect) Encoder() hub.Encoder { return encoder{} }

// encoder writes envelopes. Pings and the end of a connection have no envelope: the
// transport has frames for them.
type encoder struct{}

func (encoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	return protocol.AppendEnvelope(dst, ev)
}

func (encoder) AppendPing(dst []byte) []byte { return dst }

func (encoder) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }
