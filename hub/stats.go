package hub

import (
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// Stats are figures for an operator. Counters start with the hub.
type Stats struct {
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
	// Panics counts recovered panics.
	Panics uint64
}

// stats are the counters behind Stats.
type stats struct {
	waited, refused, dropped, panics atomic.Uint64
}

// Stats returns the current figures. It visits all rooms.
func (h *Hub) Stats() Stats {
	s := Stats{
		Waited: h.stats.waited.Load(), Rejected: h.stats.refused.Load(),
		Dropped: h.stats.dropped.Load(), Panics: h.stats.panics.Load(),
	}
	for i := range h.shards {
		h.shards[i].count(&s)
	}
	return s
}

func (sh *shard) count(s *Stats) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, r := range sh.rooms {
		r.mu.Lock()
		s.Pending += r.load
		if r.waiting != nil {
			s.Waiting += r.waiting.Len()
		}
		r.mu.Unlock()
	}
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
