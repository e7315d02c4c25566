package memory

import (
	"cmp"
	"slices"
	"time"
)

// keyLimit is the bound of the idempotency keys of all rooms: an eighth of the whole
// memory. Keys come at the rate of any publisher, also in rooms without history, and must
// not cost other rooms their messages.
func (b *Broker) keyLimit() int64 { return b.limit.Load() / 8 }

// keyedRoom is a room with keys, with the figures from the time when it was pinned.
type keyedRoom struct {
	*room
	bytes  int64
	newest time.Duration // when its latest key came
}

// fitKeys drops keys until a quarter of their bound is free, so that not every publish
// comes here. The rooms with the most keys lose the older ones. If all rooms have few keys,
// the rooms that got no key for the longest time lose theirs first. The caller holds
// cleaning.
func (b *Broker) fitKeys() {
	limit := b.keyLimit()
	target := limit - limit/4
	rooms := b.pinKeyed()
	sizes := make([]int64, len(rooms))
	for i, r := range rooms {
		sizes[i] = r.bytes
	}
	line := max(level(sizes, target), limit/64)
	for _, r := range rooms {
		if r.bytes > line {
			b.reduceKeys(r.room, line)
		}
	}
	slices.SortFunc(rooms, func(a, b keyedRoom) int { return cmp.Compare(a.newest, b.newest) })
	for _, r := range rooms {
		if b.keyed.Load() > target {
			b.reduceKeys(r.room, 0)
		}
		// A room that was kept for its keys alone is forgotten.
		r.home.release([]*room{r.room}, time.Since(b.born))
	}
}

// pinKeyed returns the rooms with keys, pinned.
func (b *Broker) pinKeyed() (keyed []keyedRoom) {
	var rooms []*room
	for i := range b.shards {
		rooms = b.shards[i].pinAll(rooms[:0])
		for _, r := range rooms {
			r.mu.Lock()
			if r.keys != nil {
				keyed = append(keyed, keyedRoom{r, r.keyed, r.keys.young.newest})
			} else {
				r.unpin()
			}
			r.mu.Unlock()
		}
	}
	return keyed
}

// reduceKeys cuts the keys of a room down to a number of bytes; 0 leaves none.
func (b *Broker) reduceKeys(r *room, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys == nil {
		return
	}
	if r.keys.reduce(max(bytes-keysBytes, 0)); r.keys.size() == 0 {
		r.keys = nil
	}
	b.account(r)
}
