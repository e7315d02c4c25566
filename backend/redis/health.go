package redis

import (
	"math"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
)

// Away returns how long Redis has been unusable: unreachable, or rejecting writes. Of several
// shards it returns the longest time. 0 means that Redis is usable. Before the first contact it
// is the longest possible time. Away needs the presence, whose lease shows that Redis accepts
// writes.
func (c *Client) Away() (longest time.Duration) {
	for _, s := range c.shards {
		longest = max(longest, s.unusableFor(time.Now()))
	}
	return longest
}

func (s *shard) unusableFor(now time.Time) time.Duration {
	beat := s.leaseRenewedAt.Load()
	if beat == 0 {
		return math.MaxInt64
	}
	var unheard time.Duration
	if d := uptime() - time.Duration(beat); d > 2*s.o.Beat {
		unheard = d
	}
	return max(unheard, s.link.unsubscribedFor(now))
}

// unsubscribedFor returns how long there has been no subscribed connection.
func (l *link) unsubscribedFor(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.downSince.IsZero() {
		return 0
	}
	return now.Sub(l.downSince)
}

// Stats are figures for an operator, counted since the client was opened.
type Stats struct {
	// Connected is true if the subscribed connection of every shard is open.
	Connected bool
	// Channels is how many channels are subscribed, or about to be.
	Channels int
	// Connections counts how often a subscribed connection was made. Silent counts how often
	// one was closed because nothing arrived on it any more.
	Connections, Silent uint64
	// Repairs counts holes that were found. Repaired counts the messages that filled them. Lost
	// counts the holes that could not be filled. Renewed counts the logs that went back in
	// time.
	Repairs, Repaired, Lost, Renewed uint64
	// Away is [Client.Away].
	Away time.Duration
	// Trips has how long the round trips took: each sends one command or a batch of them. Failed
	// counts those in which Redis did not answer.
	Trips  tally.Durations
	Failed uint64
}

// Stats returns the figures of the client and of its broker.
func (c *Client) Stats(broker hub.Broker) (s Stats) {
	if b, ok := broker.(interface{ Stats() Stats }); ok {
		s = b.Stats()
	}
	s.Away = c.Away()
	for _, shard := range c.shards {
		shard.batch.trips.AddTo(&s.Trips)
		s.Failed += shard.batch.failed.Load()
	}
	return s
}

// newTrips returns a histogram for round trips to Redis: from one on the same machine to the
// timeout of a command.
func newTrips() *tally.Histogram {
	const us, ms = time.Microsecond, time.Millisecond
	return tally.NewHistogram(100*us, 250*us, 500*us, ms, 2500*us, 5*ms, 10*ms, 25*ms, 50*ms, 100*ms, 500*ms, time.Second, 5*time.Second)
}

// add adds the figures of another shard.
func (s *Stats) add(o Stats) {
	s.Connected = s.Connected && o.Connected
	s.Channels += o.Channels
	s.Connections += o.Connections
	s.Silent += o.Silent
	s.Repairs += o.Repairs
	s.Repaired += o.Repaired
	s.Lost += o.Lost
	s.Renewed += o.Renewed
}

var started = time.Now()

// uptime returns how long this process has been running. It uses the monotonic clock: if the
// time of day is set back by hours, a deadline by it would wait for hours.
func uptime() time.Duration { return time.Since(started) }
