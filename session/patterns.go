package session

import (
	"context"
	"errors"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A session keeps a subscription to a pattern under the text of the pattern, as it keeps others
// under the name of the channel. No channel has such a name, see [protocol.IsPattern].

// subscribePattern subscribes the client to all channels of a pattern. The app is asked with the
// pattern as the channel.
func (s *Session) subscribePattern(ctx context.Context, u *rules, q protocol.Subscribe, o SubscribeOptions) *protocol.Error {
	span, e := s.maySpan(u, q.Channel)
	if e != nil {
		return e
	}
	if e = s.hasRoom(u.limits.Channels, q.Channel); e != nil {
		return e
	}
	own, e := compileFilter(q.Filter)
	if e != nil {
		return e
	}
	if e = u.askApp(ctx, s.caller(), auth.Subscribe, q.Channel); e != nil {
		return e
	}
	s.setFilter(q.Channel, own)
	p := &hub.Pattern{Text: q.Channel, Feed: span.Room.Pattern, Match: span.Match}
	_, err := s.registry.hub.SubscribePattern(ctx, s.conn, p, hub.SubscribeOptions{
		Waits:    o.Waits,
		Selector: s.selector(u, q.Channel),
		Reply: func(sub hub.Subscribed) []hub.Event {
			if o.Reply == nil {
				return nil
			}
			return o.Reply(Subscribed{Subscribed: sub})
		},
	})
	return s.patternMade(u, q.Channel, err)
}

// patternMade is the end of subscribePattern.
func (s *Session) patternMade(u *rules, pattern string, err error) *protocol.Error {
	if errors.Is(err, hub.ErrSubscribed) {
		return alreadySubscribed()
	}
	if err != nil {
		s.setFilter(pattern, nil)
	}
	switch now := s.registry.rules.Load(); {
	case errors.Is(err, hub.ErrLeft):
		return s.leftEarly(now, pattern)
	case err != nil:
		return s.registry.rules.failed("subscribe", err)
	}
	s.applyNewer(u, func(newer *rules) { s.applyToRoom(newer, s.conn, pattern) })
	return nil
}

// maySpan returns the block of a pattern, or an error if the session may not subscribe to the
// pattern.
func (s *Session) maySpan(u *rules, pattern string) (policy.Span, *protocol.Error) {
	p := s.who()
	if e := u.mustAuthenticate(p); e != nil {
		return policy.Span{}, e
	}
	return u.span(p, pattern)
}

func (u *rules) span(p *Principal, pattern string) (policy.Span, *protocol.Error) {
	span, e := u.policy.Span(pattern)
	if e == nil {
		e = span.Allow(&p.Subject)
	}
	return span, e
}

// keepsPattern returns an error if a subscription to a pattern must end: the session may not have
// it any more, or the pattern belongs to another block now, whose messages come through another
// feed.
func (s *Session) keepsPattern(u *rules, conn *hub.Conn, pattern string) *protocol.Error {
	span, e := s.maySpan(u, pattern)
	if feed := s.registry.hub.FeedOf(conn, pattern); e == nil && feed != "" && feed != span.Room.Pattern {
		e = protocol.Errorf(protocol.Unavailable, "the rules of this pattern have changed: subscribe again")
	}
	return e
}

// MaySubscribe decides whether a client may subscribe to a channel or a pattern. The app is not
// asked. The errors are INVALID_CHANNEL, UNAUTHORIZED and FORBIDDEN.
func (r *Registry) MaySubscribe(c Caller, name string) *protocol.Error {
	if !protocol.IsPattern(name) {
		return r.May(c, policy.Subscribe, name)
	}
	_, e := r.rules.Load().span(c.who(), name)
	return e
}
