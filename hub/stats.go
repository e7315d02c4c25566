package hub

import (
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// Stats are figures for an operator. Those that count do so since the hub's start.
type Stats struct {
	// Pending is what all rooms have yet to broadcast, in bytes; a small event counts
	// as 1 KiB.
	Pending int
	// Waiting is how many publishers wait for space in a room now.
	Waiting int
	// Waited counts the publishers that had to wait, and Refused those of them that
	// were sent away in the end with [ErrCrowded].
	Waited, Refused uint64
	// Dropped counts events that were not broadcast because a room was too far behind.
	Dropped uint64
	// Panics counts mistakes in the code that were survived.
	Panics uint64
}

// stats are the counters behind Stats.
type stats struct {
	waited, refused, dropped, panics atomic.Uint64
}

// Stats returns the figures of this moment. It visits all rooms.
func (h *Hub) Stats() Stats {
	s := Stats{
		Waited: h.stats.waited.Load(), Refused: h.stats.refused.Load(),
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

// panicked takes note of a panic that the caller, a deferred function, has recovered.
func (h *Hub) panicked(what string, v any) {
	h.stats.panics.Add(1)
	guard.Report(h.settings.Load().Logger, what, v)
}

// survive is deferred by a function whose panic costs nothing but its own work.
func (h *Hub) survive(what string) {
	if v := recover(); v != nil {
		h.panicked(what, v)
	}
}
