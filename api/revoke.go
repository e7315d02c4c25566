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

// revocation reads what is taken back. Without a time it is everything a user has so
// far, and a single token for good. That everybody is meant has to be said by a
// time, so that an empty object does not do it by mistake.
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
		return v, protocol.Errorf(protocol.InvalidMessage, "name a \"user\", the \"id\" of a token, or the time \"before\" which all tokens were issued")
	case !v.Until.IsZero() && !v.Until.After(now):
		return v, protocol.Errorf(protocol.InvalidMessage, "\"until\" has passed")
	case v.ID == "" && v.Before.IsZero():
		v.Before = now
	}
	return v, nil
}

// leastTime is in 1973. What is less is a number of seconds, as in tokens, and would
// revoke nothing. greatestTime is the end of the year 9999. What is more is a number of
// microseconds.
const (
	leastTime    = 100_000_000_000
	greatestTime = 253_402_300_799_999
)

// time gives a member that is a time in milliseconds since 1970; zero when it is not
// there.
func (m object) time(name string) (time.Time, *protocol.Error) {
	ms, e := m.integer(name)
	if _, there := m[name]; !there || e != nil {
		return time.Time{}, e
	}
	if ms < leastTime || ms > greatestTime {
		return time.Time{}, protocol.Errorf(protocol.InvalidMessage, "the member %q must be a time in milliseconds", name)
	}
	return time.UnixMilli(ms), nil
}
