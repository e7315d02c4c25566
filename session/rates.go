package session

import (
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Rates bounds how fast callers without a connection may send requests, and how fast a room
// accepts messages. Connections have buckets of their own, see Session.
type Rates struct {
	// Static.
	rules *current

	callers buckets[string]  // message rate of callers without a connection
	rooms   buckets[roomKey] // publish rate of these callers, for each room
	totals  buckets[string]  // rate of all publishers of a channel together
}

func (r *Rates) init(u *current) {
	r.rules = u
	r.callers.limit, r.rooms.limit, r.totals.limit = maxCallers, maxCallers, maxCallers
}

// Charge takes a token of the message rate for a request of the HTTP API before its body is
// read, so that a request that can not be decoded costs its caller as much as any other. The
// returned caller has paid: its next command takes no token. The error is RATE_LIMITED.
func (r *Rates) Charge(c Caller) (Caller, *protocol.Error) {
	e := r.spend(c)
	c.paid = e == nil
	return c, e
}

// Unpaid returns the caller as one that has to pay for its next command.
func (c Caller) Unpaid() Caller {
	c.paid = false
	return c
}

// spend takes a token of the message rate of a caller without a connection. Without it, the
// HTTP API would be a way around the rate of connections.
func (r *Rates) spend(c Caller) *protocol.Error {
	if c.App || c.paid {
		return nil
	}
	wait := r.callers.take(callerKey(c), r.rules.Load().limits.Rate, time.Now())
	return r.rules.counts.limit(limitRequests, rateLimited(wait, "requests"))
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

// totalSpread is the time over which publishers that a room rejected together come back.
const totalSpread = time.Second

// pace takes the publisher's own token of a room. If the room has no token left for all
// publishers, the publisher keeps its own. The app has no rate.
func (r *Rates) pace(c Caller, room *policy.Room, channel, what string, now time.Time, take takeFunc) *protocol.Error {
	if c.App {
		return nil
	}
	if e := totalReached(r.totals.wait(channel, room.TotalRate, now), what); e != nil {
		return r.rules.counts.limit(limitRoomTotal, e)
	}
	wait := take(room.Rate, now)
	if wait <= 0 {
		return nil
	}
	return r.rules.counts.limit(limitRoom, rateLimited(wait, what+" in this channel"))
}

// spendTotal takes a token that all publishers of a room share. It is the last check: a
// message that is rejected for another reason must not cost the others a token.
func (r *Rates) spendTotal(c Caller, room *policy.Room, channel, what string, now time.Time) *protocol.Error {
	if c.App {
		return nil
	}
	return r.rules.counts.limit(limitRoomTotal, totalReached(r.totals.take(channel, room.TotalRate, now), what))
}

func totalReached(wait time.Duration, what string) *protocol.Error {
	if wait <= 0 {
		return nil // before the text is made, because each message comes here
	}
	e := rateLimited(wait, what+" of all publishers in this channel")
	e.RetryAfter += rand.N(totalSpread)
	return e
}
