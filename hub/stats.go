package hub

import (
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
)

// Stats are figures for an operator. Counters start with the hub and never fall.
type Stats struct {
	// Rooms is how many rooms have connections on this node, and Subscriptions how many
	// connections they have, each counted once for each of its rooms. Observers count in no
	// figure.
	Rooms, Subscriptions int
	// Delays has, for each delivery of a message, the time from its acceptance to the write.
	// The times of messages that another node accepted depend on both clocks.
	Delays tally.Durations

	// Pending is how many bytes all rooms have yet to broadcast. A small event counts as
	// 1 KiB.
	Pending int
	// Waiting is how many publishers wait for space in a room.
	Waiting int
	// Waited counts the publishers that had to wait, and Rejected those of them that got
	// [ErrCrowded] in the end.
	Waited, Rejected uint64
	// Dropped counts events that were dropped because a room was too far behind.
	Dropped uint64
	// Slow counts, for each policy of rooms, what happened to slow connections: those that
	// were closed ([SlowDisconnect]), and the messages that were dropped.
	Slow map[Slow]uint64
	// Gaps counts the announced losses by their cause.
	Gaps map[GapCause]uint64
	// Recovered counts subscriptions that got all that they had missed, and Unrecovered
	// those that did not.
	Recovered, Unrecovered uint64
	// Silent counts connections that were closed because they did not answer pings.
	Silent uint64
	// Panics counts recovered panics.
	Panics uint64
}

// GapCause is why messages were lost.
type GapCause uint8

// The causes of gaps.
const (
	// GapSlow: a queue was full, and the policy of the room drops messages. Each connection
	// counts.
	GapSlow GapCause = iota
	// GapBehind: a room could not broadcast in time. Each room counts once for all of its
	// connections on this node.
	GapBehind
	// GapLost: the broker does not have the messages. Each room counts once.
	GapLost
	gapCauses
)

// stats are the counters behind Stats.
type stats struct {
	waited, refused, overrun, panics, silent, recovered, unrecovered atomic.Uint64

	slow [SlowLatest + 1]atomic.Uint64
	gaps [gapCauses]atomic.Uint64
}

func (s *stats) gap(cause GapCause) { s.gaps[cause].Add(1) }

// countDropped counts a message that the policy of a room dropped, or that the connection is
// closed because of the policy.
func (c *Conn) countDropped(policy Slow) {
	if !c.observer {
		c.hub.stats.slow[policy].Add(1)
	}
}

// countGap counts a gap of this connection alone. Needs mu.
func (c *Conn) countGap(cause GapCause) {
	c.breakTrail()
	if !c.observer {
		c.hub.stats.gap(cause)
	}
}

func (s *stats) recovery(complete bool) {
	if complete {
		s.recovered.Add(1)
	} else {
		s.unrecovered.Add(1)
	}
}

// Stats returns the current figures. It visits all rooms, so it is for a caller that
// asks every few seconds.
func (h *Hub) Stats() Stats {
	s := Stats{
		Waited: h.stats.waited.Load(), Rejected: h.stats.refused.Load(),
		Dropped: h.stats.overrun.Load(), Panics: h.stats.panics.Load(), Silent: h.stats.silent.Load(),
		Recovered: h.stats.recovered.Load(), Unrecovered: h.stats.unrecovered.Load(),
		Slow: make(map[Slow]uint64), Gaps: make(map[GapCause]uint64),
	}
	for policy := range h.stats.slow {
		s.Slow[Slow(policy)] = h.stats.slow[policy].Load()
	}
	for cause := range h.stats.gaps {
		s.Gaps[GapCause(cause)] = h.stats.gaps[cause].Load()
	}
	for i := range h.shards {
		h.shards[i].count(&s)
	}
	return s
}

func (sh *shard) count(s *Stats) {
	sh.delays.AddTo(&s.Delays)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, r := range sh.rooms {
		r.mu.Lock()
		if n := r.clients(); n > 0 {
			s.Rooms, s.Subscriptions = s.Rooms+1, s.Subscriptions+n
		}
		s.Pending += r.load
		if r.waiting != nil {
			s.Waiting += r.waiting.Len()
		}
		r.mu.Unlock()
	}
}

// newDelays returns a histogram for the times from the acceptance of a message to its write:
// from a small room on an idle machine to a client that reads after seconds.
func newDelays() *tally.Histogram {
	const us, ms = time.Microsecond, time.Millisecond
	return tally.NewHistogram(50*us, 100*us, 250*us, 500*us, ms, 2500*us, 5*ms, 10*ms, 25*ms, 50*ms, 100*ms, 250*ms, time.Second, 5*time.Second)
}

// countDelays counts the deliveries of a batch that were written. The clock is read once for
// the whole batch, so that the first members of a large room count as late as the last ones.
func (r *room) countDelays(b *batch) {
	if b.written == 0 {
		return
	}
	now := time.Now()
	each, rest := b.written/b.messages, b.written%b.messages
	for _, ev := range b.events {
		if m, ok := ev.(*Message); ok {
			r.delays.Observe(now.Sub(m.Time), uint64(each+rest))
			rest = 0
		}
	}
}

// late counts the messages of one write that waited in a queue.
type late struct {
	messages uint64
	since    time.Time // acceptance of the oldest one
	room     *room     // of any of them
}

// add adds an item that is about to be written, unless it is no live message of a room, or for
// an observer. The nil late adds nothing.
func (l *late) add(it *item) {
	if l == nil || it.msg == nil || it.sub == nil || it.sub.conn.observer {
		return
	}
	if l.messages++; l.messages == 1 || it.msg.Time.Before(l.since) {
		l.since, l.room = it.msg.Time, it.sub.room
	}
}

// count counts the messages when they are written. All count as late as the oldest one.
func (l *late) count() {
	if l.messages > 0 {
		l.room.delays.Observe(time.Since(l.since), l.messages)
	}
	*l = late{}
}

// panicked counts and logs a panic that the caller, a deferred function, has recovered.
func (h *Hub) panicked(what string, v any) {
	h.stats.panics.Add(1)
	guard.Report(h.settings.Load().Logger, what, v)
}

// survive is deferred by a function whose panic affects nothing else.
func (h *Hub) survive(what string) {
	if v := recover(); v != nil {
		h.panicked(what, v)
	}
}
