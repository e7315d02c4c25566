package session

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// ChannelQuestion is what a dialect asks the app before a client joins a channel.
type ChannelQuestion struct {
	// Channel is the name that the app knows.
	Channel string
	// Headers are those that the client wants the app to have, by their canonical names.
	Headers map[string]string
	// Presence says that the app must name the member.
	Presence bool
}

// ChannelHandler asks the app whether clients may be in channels, with their own headers. Errors are those
// of a [MessageHandler]. Several goroutines may call it at once. It bounds how long it takes.
type ChannelHandler interface {
	// HandleChannel returns who the client is in a channel with presence; nil in others. It returns early
	// when ctx ends.
	HandleChannel(ctx context.Context, who Client, q ChannelQuestion) (*PassMember, error)
}

// AskChannel asks the app whether the client may be in a channel. Errors are FORBIDDEN, what the app has
// rejected the client with, UNAVAILABLE and INTERNAL. Only the transport's reader calls it.
func (s *Session) AskChannel(ctx context.Context, q ChannelQuestion) (*PassMember, *protocol.Error) {
	c := s.caller()
	h := s.registry.rules.Load().realms[c.who().Realm].Channels
	if h == nil { // a reload has changed it
		return nil, protocol.Errorf(protocol.Forbidden, "the app is not asked about channels here")
	}
	s.conn.Yield()
	m, err := h.HandleChannel(ctx, c.client(), q)
	if err != nil {
		return nil, s.registry.rules.unanswered(ctx, "channel", q.Channel, err)
	}
	return m, nil
}
