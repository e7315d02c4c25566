package session

import (
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// totalSpread is the time over which those come back who a room refused together.
const totalSpread = time.Second

// pace takes a publisher's own token of a room. Where the room has none left for
// anybody, the publisher keeps its own. The app has no rate.
func (r *Registry) pace(c Caller, room *policy.Room, channel, what string, now time.Time, take takeFunc) *protocol.Error {
	if c.App {
		return nil
	}
	if e := crowded(r.totals.wait(channel, room.TotalRate, now), what); e != nil {
		return e
	}
	return rateLimited(take(room.Rate, now), what+" in this channel")
}

// spendTotal takes a token that all publishers of a room share. That comes last, for
// what is refused for other reasons must not take the room from the others.
func (r *Registry) spendTotal(c Caller, room *policy.Room, channel, what string, now time.Time) *protocol.Error {
	if c.App {
		return nil
	}
	return crowded(r.totals.take(channel, room.TotalRate, now), what)
}

func crowded(wait time.Duration, what string) *protocol.Error {
	e := rateLimited(wait, what+" of all publishers in this channel")
	if e != nil {
		e.RetryAfter += rand.N(totalSpread)
	}
	return e
}
