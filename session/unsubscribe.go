package session

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func unsubscribe(_ context.Context, s *Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeUnsubscribe(c.Payload)
	if e != nil {
		return e
	}
	reply := protocol.UnsubscribedReply{ID: c.ID, Channel: q.Channel}
	if !s.registry.hub.Unsubscribe(s.conn, q.Channel, reply) {
		return protocol.Errorf(protocol.NotSubscribed, "not subscribed to this channel")
	}
	return nil
}
