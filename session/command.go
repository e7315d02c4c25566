package session

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// command handles one type of command. It replies itself when all went well and
// returns the error otherwise.
type command func(ctx context.Context, s *Session, c protocol.Command) *protocol.Error

// commands are the types that clients may send.
var commands = map[string]command{
	protocol.TypeSubscribe:   subscribe,
	protocol.TypeUnsubscribe: unsubscribe,
	protocol.TypeMessage:     publish,
	protocol.TypeHistory:     history,
	protocol.TypePing:        ping,
	protocol.TypePresence:    members,
}

func (s *Session) run(c protocol.Command) *protocol.Error {
	handle, known := commands[c.Type]
	if !known {
		return protocol.UnknownTypeError(c.Type)
	}
	return handle(s.ctx, s, c)
}
