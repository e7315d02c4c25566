package session

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func unsubscribe(_ context.Context, s *Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeUnsubscribe(c.Payload)
	if e != nil {
		return e
	}
	reply := protocol.UnsubscribedReply{ID: c.ID, Channel: q.Channel}
	if !s.quit(s.conn, reply) {
		return notSubscribed()
	}
	return nil
}

// quit takes the session out of a room.
func (s *Session) quit(conn *hub.Conn, reply protocol.UnsubscribedReply) bool {
	was := s.registry.hub.Unsubscribe(conn, reply.Channel, reply)
	s.depart(reply.Channel)
	s.unfollow(reply.Channel)
	return was
}

func notSubscribed() *protocol.Error {
	return protocol.Errorf(protocol.NotSubscribed, "not subscribed to this channel")
}
