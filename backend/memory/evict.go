package memory

import (
	"math"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// bound keeps the memory of all rooms within Options.HistoryBytes, and that of keys within
// their part of it. A caller that has added something calls it, and holds no lock. If
// another goroutine is cleaning already, bound returns at once.
func (b *Broker) bound() {
	if (b.used.Load() > b.limit.Load() || b.keyed.Load() > b.keyLimit()) && b.cleaning.TryLock() {
		defer b.cleaning.Unlock()
		b.fit()
	}
}

// fit removes what exceeds the bounds. The caller holds cleaning.
func (b *Broker) fit() {
	if b.keyed.Load() > b.keyLimit() {
		b.fitKeys()
	}
	if b.used.Load() <= b.limit.Load() {
		return
	}
	// Somewhat below the bound, so that not every publish comes here.
	limit := b.limit.Load()
	target := limit - limit/16
	b.evictIdle(target)
	if b.used.Load() > target {
		b.reduceLargest(target)
	}
}

// evictIdle drops the least recently used rooms that nobody is attached to.
func (b *Broker) evictIdle(target int64) {
	var idle [shards]time.Duration // last use of each shard's first candidate
	for i := range b.shards {
		idle[i] = b.shards[i].longestIdle()
	}
	for b.used.Load() > target {
		i := 0
		for k, at := range idle {
			if at < idle[i] {
				i = k
			}
		}
		if idle[i] == never {
			return
		}
		if b.shards[i].evict() {
			b.evicted.Add(1)
		}
		idle[i] = b.shards[i].longestIdle()
	}
}

// never is the last use of a room that does not exist.
const never time.Duration = math.MaxInt64

// longestIdle returns the last use of the room that evict would drop.
func (s *shard) longestIdle() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.candidate(); r != nil {
		return r.used
	}
	return never
}

// evict drops the least recently used idle room.
func (s *shard) evict() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.candidate()
	if r != nil {
		s.remove(r)
	}
	return r != nil
}

// candidate returns the least recently used idle room without pins. The caller holds mu.
func (s *shard) candidate() *room {
	r := s.idle.oldest
	for r != nil && r.pins.Load() != 0 {
		r = r.prev
	}
	return r
}

// reduceLargest drops the oldest messages of the largest rooms.
func (b *Broker) reduceLargest(target int64) {
	rooms := make([]*room, 0, 64)
	for i := range b.shards {
		rooms = b.shards[i].pinAll(rooms)
	}
	sizes, others := make([]int64, len(rooms)), b.used.Load()
	for i, r := range rooms {
		r.mu.Lock()
		sizes[i] = r.bytes
		r.mu.Unlock()
		others -= sizes[i]
	}
	line := level(slices.Clone(sizes), target-others)
	for i, r := range rooms {
		if sizes[i] > line {
			b.reduce(r, line)
		}
		r.unpin()
	}
}

// reduce cuts a room down to a number of bytes. A panic costs only this room's turn, as in
// tend.
func (b *Broker) reduce(r *room, line int64) {
	defer guard.Recover(nil, "the reduction of a history")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reduce(line)
	b.account(r)
	b.reduced.Add(1)
}

// level returns the size down to which the sizes must be cut so that their sum is at most
// total. Smaller sizes stay as they are. It sorts its argument.
func level(sizes []int64, total int64) int64 {
	slices.Sort(sizes)
	total = max(total, 0)
	for i, s := range sizes {
		left := int64(len(sizes) - i)
		if s > total/left {
			return total / left
		}
		total -= s
	}
	return math.MaxInt64
}
