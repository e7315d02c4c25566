package session

import (
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// May decides whether c may do a in channel; nil means it may. The errors are
// INVALID_CHANNEL, UNAUTHORIZED and FORBIDDEN. A channel that no room opens is
// INVALID_CHANNEL for the app, whose mistake would otherwise go unnoticed, and FORBIDDEN
// for everybody else.
func (r *Registry) May(c Caller, a policy.Action, channel string) *protocol.Error {
	return r.rules.Load().may(c, a, channel)
}

func (u *rules) may(c Caller, a policy.Action, channel string) *protocol.Error {
	_, e := u.room(c, a, channel)
	return e
}

// room is may that also gives the block of the channel.
func (u *rules) room(c Caller, a policy.Action, channel string) (*policy.Room, *protocol.Error) {
	if e := protocol.ValidChannel(channel); e != nil {
		return nil, e
	}
	room := u.policy.Match(channel)
	if c.App {
		if e := c.Scope.Allow(a, channel); e != nil {
			return nil, e
		}
		if room == nil {
			return nil, protocol.NoRoom(channel)
		}
		return room, nil
	}
	return room, room.Allow(a, &c.who().Subject, channel)
}

// callerKey tells callers of the HTTP API apart. The first letter keeps users,
// connections and addresses from being taken for each other.
func callerKey(c Caller) string {
	switch p := c.who(); {
	case p.User != "":
		return "u" + p.User
	case c.Connection != "":
		return "c" + c.Connection
	default:
		return "a" + p.From().String()
	}
}

// rateLimited is the error of one who has to wait; nil without a wait.
func rateLimited(wait time.Duration, what string) *protocol.Error {
	if wait <= 0 {
		return nil
	}
	e := protocol.Errorf(protocol.RateLimited, "too many %s", what)
	e.RetryAfter = wait
	return e
}

// failed turns an error of the hub into one for the wire, and logs what the wire
// is not told. Nil stays nil.
func (r *Registry) failed(what string, err error) *protocol.Error {
	if err == nil {
		return nil
	}
	e := *protocol.AsError(err)
	switch e.Code {
	case protocol.Internal:
		r.rules.Load().log.Error("command failed", "command", what, "error", err)
	case protocol.Unavailable:
		// A store that is away refuses everybody in the same moment.
		e.RetryAfter += rand.N(2 * time.Second)
	}
	return &e
}
