package native

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// change proposes a change of a document. The room announces an accepted change to its
// author as well, so that the client sees all versions in their order; only a repeat
// and a rejected change are answered here.
func change(ctx context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	q, e := c.Change()
	if e != nil {
		return e
	}
	out, e := s.Change(ctx, q, c.ID)
	switch {
	case e != nil:
		return e
	case out.Err != nil:
		s.Conn().Send(protocol.ChangeRejected{
			ID: c.ID, Channel: q.Channel, LocalVersion: q.LocalVersion, Err: session.DocumentError(out.Err),
			Document: protocol.DocumentState{Epoch: out.Epoch, Version: out.Version, State: out.State},
		})
	case out.Duplicate:
		s.Conn().Send(protocol.ChangeAccepted{
			ID: c.ID, Channel: q.Channel, LocalVersion: q.LocalVersion, Epoch: out.Epoch, Version: out.Version, Duplicate: true,
		})
	}
	return nil
}
