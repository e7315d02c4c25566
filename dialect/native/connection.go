package native

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// authenticate gives an anonymous connection an identity, or renews the one it has. The
// reply is sent before anything that follows from the new identity.
func authenticate(ctx context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeAuthenticate(c.Payload)
	if e != nil {
		return e
	}
	return s.Authenticate(ctx, q.Token, func(p *session.Principal) {
		s.Conn().Send(protocol.Authenticated{ID: c.ID, User: p.User, Expires: p.Expires})
	})
}

// ping is for clients that can not send the pings of WebSocket, such as browsers.
func ping(_ context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	if _, e := protocol.DecodePing(c.Payload); e != nil {
		return e
	}
	s.Conn().Send(protocol.Pong{ID: c.ID})
	return nil
}
