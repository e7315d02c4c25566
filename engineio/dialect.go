package engineio

import (
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// conversation is the dialect of one connection: the packets of Engine.IO around the messages of
// another dialect.
type conversation struct {
	// Static.
	inner    session.Dialect
	registry *session.Registry
}

var (
	_ session.Dialect    = (*conversation)(nil)
	_ session.Named      = (*conversation)(nil)
	_ session.Identifier = (*conversation)(nil)
	_ session.Opener     = (*conversation)(nil)
)

// Encoder implements [session.Dialect].
func (c *conversation) Encoder() hub.Encoder { return encoder{c.inner.Encoder(), c.registry} }

// Name implements [session.Named].
func (c *conversation) Name() string {
	if n, ok := c.inner.(session.Named); ok {
		return n.Name()
	}
	return "engine.io"
}

// NewID implements [session.Identifier]. Empty: the hub makes the id.
func (c *conversation) NewID() string {
	if n, ok := c.inner.(session.Identifier); ok {
		return n.NewID()
	}
	return ""
}

// Opened implements [session.Opener].
func (c *conversation) Opened(s *session.Session) {
	if o, ok := c.inner.(session.Opener); ok {
		o.Opened(s)
	}
}

// Receive implements [session.Dialect]. It hands messages to the dialect and ends the connection
// for what the protocol does not allow.
func (c *conversation) Receive(s *session.Session, packet []byte, binary bool) {
	switch {
	case binary:
		c.inner.Receive(s, packet, true)
	case len(packet) == 0:
		s.Conn().Close(broken("an empty packet"))
	case packet[0] == packetMessage:
		c.inner.Receive(s, packet[1:], false)
	case isExpected(packet[0]):
		c.spend(s)
	case packet[0] == packetClose:
		s.Conn().Close(hub.ReasonNormal)
	default:
		s.Conn().Close(unexpected(packet[0]))
	}
}

// isExpected reports whether a client may send packets of a type at any time.
func isExpected(kind byte) bool {
	return kind == packetMessage || kind == packetPong || kind == packetNoop
}

// spend counts a packet that the dialect does not see. Its sender has the rate of a client who
// sends messages.
func (c *conversation) spend(s *session.Session) {
	if e, pause := s.Spend(); e != nil {
		s.Violation(e)
		s.Pause(pause)
	}
}

// unexpected is the end for a packet that clients do not send in this state. The ping is one: in
// this version the server pings.
func unexpected(kind byte) hub.Reason {
	if kind < packetOpen || kind > packetNoop {
		return broken("a packet of an unknown type")
	}
	return broken(fmt.Sprintf("a packet of the type %c comes from the server alone, or at another time", kind))
}

func broken(what string) hub.Reason {
	return hub.Reason{Code: protocol.ReasonProtocol.Code, Text: what}
}
