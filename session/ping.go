package session

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// ping is for clients that can not send the transport's own pings, as browsers.
func ping(_ context.Context, s *Session, c protocol.Command) *protocol.Error {
	if _, e := protocol.DecodePing(c.Payload); e != nil {
		return e
	}
	s.conn.Send(protocol.Pong{ID: c.ID})
	return nil
}
