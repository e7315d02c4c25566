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
	protocol.TypeAuthenticate: authenticate,
	protocol.TypeSubscribe:    subscribe,
	protocol.TypeUnsubscribe:  unsubscribe,
	protocol.TypeMessage:      publish,
	protocol.TypeHistory:      history,
	protocol.TypePing:         ping,
	protocol.TypePresence:     members,
	protocol.TypeChange:       change,
}

func (s *Session) run(c protocol.Command) *protocol.Error {
	handle, known := commands[c.Type]
	if !known {
		return protocol.UnknownTypeError(c.Type)
	}
	if !early(c.Type) {
		if e := s.registry.rules.Load().bars(s.who()); e != nil {
			return e
		}
	}
	return handle(s.ctx, s, c)
}

// early tells the commands of a client of which nobody knows yet who it is.
func early(command string) bool {
	return command == protocol.TypeAuthenticate || command == protocol.TypePing
}
