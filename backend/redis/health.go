package redis

import (
	"math"
	"time"
)

// Away tells for how long Redis has been of no use to this node, be it that it can not
// be reached or that it takes nothing: of several shards the one of which that is
// longest. 0 means that all is well; before the first contact it is for ever. It needs
// the presence, whose lease shows that Redis takes something.
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

// downFor is for how long nothing has been subscribed.
func (l *link) unsubscribedFor(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.downSince.IsZero() {
		return 0
	}
	return now.Sub(l.downSince)
}

// Stats are figures for an operator, since the client was opened.
type Stats struct {
	// Connected tells whether the subscribed connection stands, that of every shard.
	Connected bool
	// Channels is how many channels it is subscribed to or about to be.
	Channels int
	// Connections counts how often it was established, and Silent how often it was
	// given up because it brought nothing any more.
	Connections, Silent uint64
	// Repairs counts holes that were found, Repaired the messages that filled them,
	// Lost the holes that could not be filled, Renewed the logs that had gone back in
	// time.
	Repairs, Repaired, Lost, Renewed uint64
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

// uptime is for how long this process has been running. It goes by the clock that nobody
// sets: whoever waits for a time of day waits for hours when that is set back.
func uptime() time.Duration { return time.Since(started) }
