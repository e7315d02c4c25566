package api

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// revoke is POST /revocations.
func revoke(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	m, e := c.order("user", "id", "before", "until")
	if e != nil {
		return e
	}
	v, e := m.revocation(time.Now())
	if e != nil {
		return e
	}
	return c.replyEnded(c.o.Registry.Revocations.Revoke(c.r.Context(), v))
}

// revocation returns the revocation that a request describes. Without a time it covers all
// tokens that a user has so far, or a single token for good. To revoke the tokens of all
// users, a request must have a time, so that an empty object does not do it by mistake.
func (m object) revocation(now time.Time) (v auth.Revocation, e *protocol.Error) {
	if v.User, e = m.text("user"); e != nil {
		return v, e
	}
	if v.ID, e = m.text("id"); e != nil {
		return v, e
	}
	if v.Before, e = m.time("before"); e != nil {
		return v, e
	}
	if v.Until, e = m.time("until"); e != nil {
		return v, e
	}
	switch {
	case !auth.ValidUser(v.User):
		return v, validUser(v.User)
	case v.User == "" && v.ID == "" && v.Before.IsZero():
		return v, protocol.Errorf(protocol.InvalidMessage, "give a \"user\", the \"id\" of a token, or a time \"before\" to revoke all older tokens")
	case !v.Until.IsZero() && !v.Until.After(now):
		return v, protocol.Errorf(protocol.InvalidMessage, "the time \"until\" is in the past")
	case v.ID == "" && v.Before.IsZero():
		v.Before = now
	}
	return v, nil
}

// leastTime is in 1973. A smaller number counts seconds, as in tokens, and would revoke
// nothing. greatestTime is the end of the year 9999. A larger number counts microseconds.
const (
	leastTime    = 100_000_000_000
	greatestTime = 253_402_300_799_999
)

// time returns a member that must be a time in milliseconds since 1970, or zero if there is
// none.
func (m object) time(name string) (time.Time, *protocol.Error) {
	ms, e := m.integer(name)
	if _, there := m[name]; !there || e != nil {
		return time.Time{}, e
	}
	if ms < leastTime || ms > greatestTime {
		return time.Time{}, protocol.Errorf(protocol.InvalidMessage, "the field %q must be a time in milliseconds since 1970", name)
	}
	return time.UnixMilli(ms), nil
}
