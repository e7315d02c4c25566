package socketio

import (
	"bytes"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// pending is a packet whose attachments follow.
type pending struct {
	packet      *packet
	attachments [][]byte
	missing     int
	size        int             // of packet and attachments, in bytes
	rejected    *protocol.Error // why the packet is not carried out; nil if it is
}

// Receive implements [session.Dialect]. Whoever breaks a rule of the protocol is no client of it, and
// its connection is closed.
func (d *Dialect) Receive(s *session.Session, text []byte, binary bool) {
	if binary {
		d.attach(s, text)
		return
	}
	if d.binary != nil {
		s.Conn().Close(broken("a packet before all attachments of the one before"))
		return
	}
	limited, pause := s.Spend()
	p, err := parsePacket(text)
	if err != nil {
		s.Conn().Close(broken(err.Error()))
		return
	}
	if p.attachments > 0 {
		d.binary = &pending{packet: p, missing: p.attachments, size: len(text), rejected: limited}
	} else if limited == nil {
		d.handle(s, p, nil)
	} else {
		d.reject(s, p, limited)
	}
	if limited != nil {
		s.Pause(pause)
	}
}

// broken is the end of a connection whose client has broken a rule of the protocol.
func broken(what string) hub.Reason {
	return hub.Reason{Code: protocol.ReasonProtocol.Code, Text: what}
}

// attach takes a binary frame, which must be an attachment of the packet before. A packet that is too
// large with its attachments is rejected when they have all arrived.
func (d *Dialect) attach(s *session.Session, data []byte) {
	b := d.binary
	if b == nil {
		s.Conn().Close(broken("an attachment without a packet"))
		return
	}
	if b.size += len(data); b.size > s.MessageSize() && b.rejected == nil {
		b.rejected, b.attachments = protocol.Errorf(protocol.TooLarge, "a packet with its attachments is larger than %d bytes", s.MessageSize()), nil
	}
	if b.rejected == nil {
		b.attachments = append(b.attachments, bytes.Clone(data))
	}
	if b.missing--; b.missing > 0 {
		return
	}
	d.binary = nil
	if b.rejected != nil {
		d.reject(s, b.packet, b.rejected)
		return
	}
	text, tooLarge, ok := embed(b.packet.payload, b.attachments, s.MessageSize())
	switch {
	case !ok:
		s.Conn().Close(broken("a packet that names an attachment twice, or one that it does not have"))
	case tooLarge:
		d.reject(s, b.packet, protocol.Errorf(protocol.TooLarge, "the event is larger than %d bytes with its attachments in base64", s.MessageSize()))
	default:
		b.packet.payload = text
		d.handle(s, b.packet, b.attachments)
	}
}

// handle carries out a packet that is complete.
func (d *Dialect) handle(s *session.Session, p *packet, attachments [][]byte) {
	if p.kind == kindConnect {
		d.connect(s, p)
		return
	}
	in := d.in(p.namespace)
	if in == nil {
		s.Conn().Close(broken("a packet of a namespace that the client is not connected to"))
		return
	}
	switch p.kind {
	case kindDisconnect:
		d.disconnect(s, in)
	case kindEvent, kindBinaryEvent:
		if e := d.event(s, in, p, len(attachments) > 0); e != nil {
			d.reject(s, p, e)
		}
	}
	// Nothing here waits for the acknowledgement of a client.
}

// reject answers a packet that is not carried out.
func (d *Dialect) reject(s *session.Session, p *packet, e *protocol.Error) {
	s.Rejected("socketio", e)
	var answer frame
	switch p.kind {
	case kindConnect:
		answer = refusal(p.namespace, e)
	case kindEvent, kindBinaryEvent:
		answer = failed(p, e)
	}
	if !e.FromApp && (session.IsOffence(e.Code) || e.Code == protocol.RateLimited && p.kind != kindConnect) {
		s.Offend(answer)
		return
	}
	s.Conn().Send(answer)
}
