package session

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func subscribe(ctx context.Context, s *Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeSubscribe(c.Payload)
	if e != nil {
		return e
	}
	_, e = s.subscribe(ctx, q, c.ID, nil)
	return e
}

// Subscribe subscribes the session to a channel and queues `subscribed`; it does not
// send the error it returns. It calls waits, if that is not nil, before it waits until
// the client has read what is queued for it. It gives the position after which the
// channel is delivered, with what is replayed; zero in a room without history. Only the
// transport's reader, or whoever opened the session before there is one, calls it.
func (s *Session) Subscribe(ctx context.Context, q protocol.Subscribe, waits func()) (from hub.Position, e *protocol.Error) {
	e = protocol.AsError(errPanic) // what is left when subscribe does not return
	defer s.recovered()
	return s.subscribe(ctx, q, nil, waits)
}

var errPanic = errors.New("session: a command panicked")

func (s *Session) subscribe(ctx context.Context, q protocol.Subscribe, id json.RawMessage, waits func()) (from hub.Position, e *protocol.Error) {
	u := s.registry.rules.Load()
	if e := s.maySubscribe(u, q.Channel); e != nil {
		return from, e
	}
	if q.History > 0 {
		if e := u.may(s.caller(), policy.History, q.Channel); e != nil {
			return from, e
		}
	}
	if e := s.hasRoom(u.limits.Channels, q.Channel); e != nil {
		return from, e
	}
	if err := q.Change().Check(); err != nil {
		return from, protocol.Errorf(protocol.InvalidMessage, "%s", err)
	}
	if e := u.consult(ctx, s.caller(), auth.Subscribe, q.Channel); e != nil {
		return from, e
	}
	doc, e := s.follow(ctx, u, q.Channel)
	if e != nil {
		return from, e
	}
	sub, err := s.registry.hub.Subscribe(ctx, s.conn, q.Channel, hub.SubscribeOptions{
		Recover:   q.Recover,
		History:   q.History,
		Waits:     waits,
		Interests: s.interests(u, q.Channel),
		Reply:     func(sub hub.Subscribed) []hub.Event { return s.answer(ctx, q, sub, id, doc) },
	})
	if err == nil && doc.failed() {
		// The client was not told that it is in, and need not be told that it is out.
		s.registry.hub.Unsubscribe(s.conn, q.Channel)
		s.unfollow(q.Channel)
		return from, s.registry.documentFailed(doc.err)
	}
	if err != nil {
		s.unfollow(q.Channel)
	}
	switch now := s.registry.rules.Load(); {
	case errors.Is(err, hub.ErrSubscribed):
		return from, alreadySubscribed()
	case errors.Is(err, hub.ErrLeft):
		return from, s.leftEarly(now, q.Channel)
	case err != nil:
	default:
		s.enter(now, q.Channel, q.Appearance)
		if now != u {
			s.review(now, s.conn, q.Channel)
		}
	}
	return replayStart(q, sub), s.registry.failed("subscribe", err)
}

// hasRoom says why the session may not have this channel in addition.
func (s *Session) hasRoom(limit int, channel string) *protocol.Error {
	channels := s.conn.Channels()
	switch {
	case slices.Contains(channels, channel):
		return alreadySubscribed()
	case over(len(channels), limit):
		return tooManyChannels(limit)
	}
	return nil
}

// MayHaveChannels says why no connection may subscribe to n channels: LIMIT_EXCEEDED. A
// transport whose clients name all their channels at once asks before it opens a session.
func (r *Registry) MayHaveChannels(n int) *protocol.Error {
	if limit := r.rules.Load().limits.Channels; over(n-1, limit) {
		return tooManyChannels(limit)
	}
	return nil
}

func tooManyChannels(limit int) *protocol.Error {
	return protocol.Errorf(protocol.LimitExceeded, "no more than %d channels for one connection", limit)
}

func alreadySubscribed() *protocol.Error {
	return protocol.Errorf(protocol.AlreadySubscribed, "already subscribed to this channel")
}

// leftEarly says why a subscription ended while it was being made: new rules do
// not allow it, or else the connection is closing.
func (s *Session) leftEarly(u *rules, channel string) *protocol.Error {
	if e := s.maySubscribe(u, channel); e != nil {
		return e
	}
	return protocol.AsError(hub.ErrClosed)
}

// answer is what a new subscriber is sent before anything live. When the replay
// comes as events, they are part of what is delivered after the position that
// `subscribed` names, which therefore is the one before them.
func (s *Session) answer(ctx context.Context, q protocol.Subscribe, sub hub.Subscribed, id json.RawMessage, doc *following) []hub.Event {
	reply := protocol.SubscribedReply{
		ID: id, Channel: sub.Channel, Position: sub.Position,
		Recover: q.Recover != nil, Recovered: sub.Recovered, Messages: sub.Messages,
	}
	if reply.Document = doc.read(ctx); doc.failed() {
		return nil
	}
	if s.replay == ReplayInReply {
		return []hub.Event{reply}
	}
	reply.Messages, reply.Position = nil, replayStart(q, sub)
	events := append(make([]hub.Event, 0, len(sub.Messages)+2), reply)
	if reply.Recover && !sub.Recovered {
		events = append(events, hub.Gap{Channel: sub.Channel, Position: reply.Position})
	}
	for _, m := range sub.Messages {
		events = append(events, m)
	}
	return events
}

// replayStart is the position before the messages that are replayed.
func replayStart(q protocol.Subscribe, sub hub.Subscribed) hub.Position {
	switch {
	case len(sub.Messages) == 0:
		return sub.Position
	case sub.Recovered:
		return *q.Recover
	}
	first := sub.Messages[0].Position
	return hub.Position{Epoch: first.Epoch, Offset: first.Offset - 1}
}
