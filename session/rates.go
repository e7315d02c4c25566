package session

import (
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Rates bounds how fast clients without a connection may ask, and how fast a room takes
// messages. Connections have buckets of their own, see Session.
type Rates struct {
	// Static.
	rules *current

	callers buckets[string]  // message rate of callers without a connection
	rooms   buckets[roomKey] // publish rate of the same, for each room
	totals  buckets[string]  // what all publishers of a channel may send together
}

func (r *Rates) init(u *current) {
	r.rules = u
	r.callers.limit, r.rooms.limit, r.totals.limit = maxCallers, maxCallers, maxCallers
}

// Charge takes a token of the message rate for a request of the HTTP API before its body
// is read, so that a request which can not be decoded costs its caller as much as one
// that can. The caller that it gives has paid: the command for which it stands takes no
// token of its own. The error is RATE_LIMITED.
func (r *Rates) Charge(c Caller) (Caller, *protocol.Error) {
	e := r.spend(c)
	c.paid = e == nil
	return c, e
}

// Unpaid is the caller that has to pay for what it does next.
func (c Caller) Unpaid() Caller {
	c.paid = false
	return c
}

// spend takes a token of the message rate of a caller without a connection, which
// would otherwise be the way around the rate of connections.
func (r *Rates) spend(c Caller) *protocol.Error {
	if c.App || c.paid {
		return nil
	}
	wait := r.callers.take(callerKey(c), r.rules.Load().limits.Rate, time.Now())
	return rateLimited(wait, "requests")
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

// roomKey is a caller in a room.
type roomKey struct{ caller, channel string }

// takeFunc takes a token of a room's rate, or says how long until there is one.
type takeFunc func(policy.Rate, time.Time) time.Duration

// of takes from the room's bucket of a caller without a connection.
func (r *Rates) of(c Caller, channel string) takeFunc {
	return func(rate policy.Rate, now time.Time) time.Duration {
		return r.rooms.take(roomKey{callerKey(c), channel}, rate, now)
	}
}

// totalSpread is the time over which the publishers come back that a room rejected
// together.
const totalSpread = time.Second

// pace takes a publisher's own token of a room. Where the room has none left for
// anybody, the publisher keeps its own. The app has no rate.
func (r *Rates) pace(c Caller, room *policy.Room, channel, what string, now time.Time, take takeFunc) *protocol.Error {
	if c.App {
		return nil
	}
	if e := totalReached(r.totals.wait(channel, room.TotalRate, now), what); e != nil {
		return e
	}
	return rateLimited(take(room.Rate, now), what+" in this channel")
}

// spendTotal takes a token that all publishers of a room share. That comes last, for
// what is rejected for other reasons must not take the room from the others.
func (r *Rates) spendTotal(c Caller, room *policy.Room, channel, what string, now time.Time) *protocol.Error {
	if c.App {
		return nil
	}
	return totalReached(r.totals.take(channel, room.TotalRate, now), what)
}

func totalReached(wait time.Duration, what string) *protocol.Error {
	e := rateLimited(wait, what+" of all publishers in this channel")
	if e != nil {
		e.RetryAfter += rand.N(totalSpread)
	}
	return e
}
