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
}

// Receive implements [session.Dialect].
func (Dialect) Receive(s *session.Session, frame []byte, _ bool) {
	if e, pause := s.Spend(); e != nil {
		c, bad := protocol.Decode(frame) // for its id
		if bad != nil {
			e = bad
		}
		s.Offend(protocol.ErrorReply{ID: c.ID, Err: e})
		s.Pause(pause)
		return
	}
	c, e := protocol.Decode(frame)
	if e == nil {
		e = run(s, c)
	}
	switch {
	case e == nil:
	case session.IsOffence(e.Code), c.Type == protocol.TypeAuthenticate && session.IsTokenOffence(e.Code):
		s.Offend(protocol.ErrorReply{ID: c.ID, Err: e})
	default:
		s.Conn().Send(protocol.ErrorReply{ID: c.ID, Err: e})
	}
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
