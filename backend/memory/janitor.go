package memory

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// idleFor is the least time that a room with history is kept after its last use.
const idleFor = 24 * time.Hour

// sweepUntilClosed is the loop of the janitor.
func (b *Broker) sweepUntilClosed() {
	t := time.NewTicker(b.o.Sweep)
	defer t.Stop()
	for {
		select {
		case <-b.closing:
			return
		case <-t.C:
			b.sweep(time.Now())
		}
	}
}

// sweep frees what has expired, one shard after the other. It holds cleaning, because
// evictions pass over pinned rooms.
func (b *Broker) sweep(now time.Time) {
	b.cleaning.Lock()
	defer b.cleaning.Unlock()
	var rooms []*room
	for i := range b.shards {
		s := &b.shards[i]
		rooms = s.pinAll(rooms[:0])
		for _, r := range rooms {
			b.tend(r, now)
		}
		s.release(rooms, now.Sub(b.born))
		clear(rooms)
	}
	// Publishers could not do it meanwhile.
	b.fit()
}

// tend frees what has expired in a room. A panic costs only this room's turn: the rooms
// after it still get theirs, and no room stays pinned.
func (b *Broker) tend(r *room, now time.Time) {
	defer guard.Recover(nil, "the expiry of a history")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tend(now, now.Sub(b.born), b.o)
	b.account(r)
}

// release takes the pins back and drops the rooms that are over.
func (s *shard) release(rooms []*room, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rooms {
		if r.pins.Add(-1) == 0 && !s.closed && r.over(now) {
			s.remove(r)
		}
	}
}

// over reports whether the room can be dropped without a loss. Nobody else may use the
// room.
func (r *room) over(now time.Duration) bool {
	switch {
	case r.attached != 0:
		return false
	case r.bare():
		return true
	case r.keys != nil:
		return false
	}
	return now-r.used > max(idleFor, 10*min(r.retention.TTL, never/10))
}
