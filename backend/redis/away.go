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
		longest = max(longest, s.away(time.Now()))
	}
	return longest
}

func (s *shard) away(now time.Time) time.Duration {
	beat := s.beaten.Load()
	if beat == 0 {
		return math.MaxInt64
	}
	var unheard time.Duration
	if d := uptime() - time.Duration(beat); d > 2*s.o.Beat {
		unheard = d
	}
	return max(unheard, s.link.downFor(now))
}

// downFor is for how long nothing has been subscribed.
func (l *link) downFor(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down.IsZero() {
		return 0
	}
	return now.Sub(l.down)
}
