package native

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// members handles `presence`: it requests the members of a room, or changes the client's own
// member.
func members(_ context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodePresence(c.Payload)
	if e != nil {
		return e
	}
	if q.IsZero() {
		return s.Members(q.Channel, q.After, func(snapshot *presence.Snapshot) {
			s.Conn().Send(protocol.PresenceEvent{ID: c.ID, Frame: snapshot})
		})
	}
	if e := s.Update(q.Channel, q.Appearance); e != nil {
		return e
	}
	if c.ID != nil {
		s.Conn().Send(protocol.Ack{ID: c.ID, Channel: q.Channel})
	}
	return nil
}
