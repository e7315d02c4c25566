package session

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/filter"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// place is what the session has in one channel beside the subscription of the hub. It is in one
// map, so that leaving a room forgets all of it at once.
type place struct {
	filter   *filter.Filter // what the client itself wants; nil: everything
	enrolled bool           // the app has subscribed the session
	pass     *Pass          // nil: the rules alone decide
	recovers string         // see [SubscribeOptions.Recover]; empty: not
}

// Pass is what a dialect has verified for one subscription, such as a signature of the app. It
// allows to subscribe and to see the members where the rules ask for a user or a grant. It does not
// open what they leave to the server.
type Pass struct {
	// Publish allows to publish as well.
	Publish bool
	// History allows to get retained messages with the subscription.
	History bool
	// Member is the client's member in the room; nil: the one of its user or connection.
	Member *PassMember
}

// allows reports whether the pass stands for a user or a grant for an action.
func (p *Pass) allows(a policy.Action) bool {
	switch a {
	case policy.Subscribe, policy.Presence:
		return p != nil
	case policy.Publish:
		return p != nil && p.Publish
	case policy.History:
		return p != nil && p.History
	}
	return false
}

// PassMember is a member as the app has signed it.
type PassMember struct {
	ID string
	// Info is a JSON object; nil for none.
	Info json.RawMessage
}

// changePlace changes the session's place in a channel, and drops an empty one. It returns the place
// as it was.
func (s *Session) changePlace(channel string, f func(*place)) (was place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = s.places[channel]
	now := was
	f(&now)
	switch {
	case now == (place{}):
		delete(s.places, channel)
	case s.places == nil:
		s.places = map[string]place{channel: now}
	default:
		s.places[channel] = now
	}
	return was
}

// place returns the session's place in a channel.
func (s *Session) place(channel string) place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.places[channel]
}

// callerIn is the session as the caller in one channel.
func (s *Session) callerIn(channel string) Caller {
	c := s.caller()
	c.pass = s.place(channel).pass
	return c
}

// takePass notes the pass of a subscription that is about to be made. An existing subscription
// keeps its own.
func (s *Session) takePass(u *rules, channel string, pass *Pass) *protocol.Error {
	if pass == nil {
		return nil
	}
	if e := s.hasRoom(u.limits.Channels, channel); e != nil {
		return e
	}
	s.changePlace(channel, func(p *place) { p.pass = pass })
	return nil
}

// dropPass forgets a pass whose subscription was not made.
func (s *Session) dropPass(channel string, pass *Pass) {
	if pass != nil {
		s.changePlace(channel, func(p *place) { p.pass = nil })
	}
}
