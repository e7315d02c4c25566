package notify

import (
	"sync/atomic"
	"time"
)

// Stats are the figures of one sink on this node. Counters start with the sink.
type Stats struct {
	Sink string
	// Waiting and Bytes are how much is in the outbox, for all sinks together. Oldest is the time
	// of the oldest event in it; zero if there is none. Only queues for which this node is the
	// sender count.
	Waiting int
	Bytes   int64
	Oldest  time.Time
	// Delivered counts events that the app has, Requests the attempts to send, Failed those that
	// failed. Lost is how many events the app was told it did not get.
	Delivered, Requests, Failed, Lost uint64
	// Closed reports that the app wants no more events.
	Closed bool
}

// counts are the counters behind Stats.
type counts struct {
	delivered, requests, failed, lost atomic.Uint64
}

func (c *counts) countDelivered(b Batch) {
	for _, e := range b.Events {
		if e.Type == Lost {
			c.lost.Add(uint64(e.Count))
		} else {
			c.delivered.Add(1)
		}
	}
}

func (all *senders) stats(name string) Stats {
	s := Stats{
		Sink: name, Delivered: all.counts.delivered.Load(), Requests: all.counts.requests.Load(),
		Failed: all.counts.failed.Load(), Lost: all.counts.lost.Load(),
	}
	for _, one := range all.parts {
		c := one.claimed.Load()
		if c == nil {
			continue
		}
		s.Closed = s.Closed || c.Closed
		if c.Fence == 0 {
			continue
		}
		s.Waiting += c.Events
		s.Bytes += c.Bytes
		if !c.Oldest.IsZero() && (s.Oldest.IsZero() || c.Oldest.Before(s.Oldest)) {
			s.Oldest = c.Oldest
		}
	}
	return s
}
