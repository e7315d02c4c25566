package native

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// subscribe puts the connection into a room. The reply has the messages that the client missed.
func subscribe(ctx context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeSubscribe(c.Payload)
	if e != nil {
		return e
	}
	return s.Subscribe(ctx, q, session.SubscribeOptions{Reply: func(sub session.Subscribed) []hub.Event {
		return []hub.Event{protocol.SubscribedReply{
			ID: c.ID, Channel: sub.Channel, Position: sub.Position, Recover: q.Recover != nil,
			Recovered: sub.Recovered, Messages: sub.Messages, Document: sub.Document, Replaced: sub.Replaced,
		}}
	}})
}

func unsubscribe(_ context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeUnsubscribe(c.Payload)
	if e != nil {
		return e
	}
	return s.Unsubscribe(q.Channel, protocol.UnsubscribedReply{ID: c.ID, Channel: q.Channel})
}

// publish handles `message`. A client that sends no id gets no `ack`.
func publish(ctx context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	p, e := c.Publish()
	if e != nil {
		return e
	}
	if e = s.Behind(p); e != nil {
		return e
	}
	done, e := s.Publish(ctx, p)
	if !p.Volatile { // it has no place in the order
		s.Published(e)
	}
	if e == nil && c.ID != nil {
		s.Conn().Send(protocol.Ack{ID: c.ID, Channel: p.Channel, Published: done})
	}
	return e
}

func history(ctx context.Context, s *session.Session, c protocol.Command) *protocol.Error {
	q, e := protocol.DecodeHistory(c.Payload)
	if e != nil {
		return e
	}
	page, e := s.History(ctx, q)
	if e != nil {
		return e
	}
	s.Conn().Send(protocol.HistoryReply{ID: c.ID, Channel: q.Channel, Page: page})
	return nil
}
