package native

import (
	"context"
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// call asks the app. A client that sends no id gets no `result`.
func call(_ context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeCall(c.Payload)
	if e != nil {
		return e
	}
	return s.Call(q, func(result json.RawMessage, e *protocol.Error) {
		switch {
		case e != nil:
			s.Rejected(protocol.TypeCall, e)
			s.Conn().Send(protocol.ErrorReply{ID: c.ID, Err: e})
		case c.ID != nil:
			s.Conn().Send(protocol.Result{ID: c.ID, Result: result})
		}
	})
}
