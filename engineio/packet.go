package engineio

import (
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// The types of packets: the first byte of each.
const (
	packetOpen    = '0'
	packetClose   = '1'
	packetPing    = '2'
	packetPong    = '3'
	packetMessage = '4'
	packetUpgrade = '5'
	packetNoop    = '6'
)

// encoder puts what Engine.IO itself sends around the packets of a dialect. It is comparable, and
// equal for all connections of a registry whose dialects have equal encoders.
type encoder struct {
	dialect  hub.Encoder
	registry *session.Registry
}

// AppendEvent appends the packet of an event. That of a message is whole: the dialect writes the
// type as well.
func (e encoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	if c, ok := ev.(protocol.Connected); ok {
		return appendOpen(dst, e.registry, c.Connection, "")
	}
	return e.dialect.AppendEvent(dst, ev)
}

// AppendPing appends a heartbeat. The client answers with a packet, not with a pong of WebSocket.
func (encoder) AppendPing(dst []byte) []byte { return append(dst, packetPing) }

// AppendClose appends what the dialect says before the end. Several packets have the separator
// between them, and package ws makes a frame of each.
func (e encoder) AppendClose(dst []byte, r hub.Reason) []byte { return e.dialect.AppendClose(dst, r) }

// Split passes on an ability of the dialect's encoder: an event may be several packets.
func (e encoder) Split(ev hub.Event) []hub.Event {
	if s, ok := e.dialect.(interface{ Split(hub.Event) []hub.Event }); ok {
		return s.Split(ev)
	}
	return nil
}

// IsBinary passes on an ability of the dialect's encoder: a packet may be a binary message.
func (e encoder) IsBinary(ev hub.Event) bool {
	b, ok := e.dialect.(interface{ IsBinary(hub.Event) bool })
	return ok && b.IsBinary(ev)
}

// CloseReason passes on an ability of the dialect's encoder: close codes of its own.
func (e encoder) CloseReason(r hub.Reason) hub.Reason {
	if c, ok := e.dialect.(interface{ CloseReason(hub.Reason) hub.Reason }); ok {
		return c.CloseReason(r)
	}
	return r
}

// appendOpen appends the open packet. upgrades are the transports to which the client may change, as
// a list of JSON strings.
func appendOpen(dst []byte, r *session.Registry, sid, upgrades string) []byte {
	s := r.Hub().Settings()
	dst = protocol.AppendString(append(dst, packetOpen, '{', '"', 's', 'i', 'd', '"', ':'), sid)
	dst = append(append(append(dst, `,"upgrades":[`...), upgrades...), `],"pingInterval":`...)
	dst = strconv.AppendInt(dst, s.Heartbeat.Milliseconds(), 10)
	dst = strconv.AppendInt(append(dst, `,"pingTimeout":`...), s.Timeout.Milliseconds(), 10)
	dst = strconv.AppendInt(append(dst, `,"maxPayload":`...), int64(r.MessageSize()), 10)
	return append(dst, '}')
}
