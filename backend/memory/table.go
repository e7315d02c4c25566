package memory

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// slot is the part of a room by which a table of rooms keeps it.
type slot struct {
	channel string // static after creation

	mu   sync.Mutex // of the whole room
	dead bool       // out of the table
}

func (s *slot) self() *slot { return s }

// slotted is a room that embeds a slot. bare reports that it holds nothing, and is
// called with its lock.
type slotted interface {
	self() *slot
	bare() bool
}

// table has the rooms of all channels that hold something. Locks: mu, then that of a room.
type table[R slotted] struct {
	create func(channel string) R // static after creation

	mu sync.Mutex
	by map[string]R // by channel
}

func (t *table[R]) init(create func(channel string) R) {
	t.create, t.by = create, make(map[string]R)
}

// open returns the room of a channel, locked; a new one if there is none.
func (t *table[R]) open(channel string) R {
	for {
		t.mu.Lock()
		r, ok := t.by[channel]
		if !ok {
			// A copy of the name: the caller's may be a small part of a large frame.
			channel = strings.Clone(channel)
			r = t.create(channel)
			t.by[channel] = r
		}
		t.mu.Unlock()
		s := r.self()
		s.mu.Lock()
		if !s.dead {
			return r
		}
		s.mu.Unlock() // it was removed in between
	}
}

// release unlocks a room, and removes it if it holds nothing.
func (t *table[R]) release(r R) {
	s, bare := r.self(), r.bare()
	s.mu.Unlock()
	if !bare {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dead && r.bare() {
		s.dead = true
		delete(t.by, s.channel)
	}
}

// each calls f for every room, locked.
func (t *table[R]) each(f func(R)) {
	t.mu.Lock()
	all := slices.Collect(maps.Values(t.by))
	t.mu.Unlock()
	for _, r := range all {
		r.self().mu.Lock()
		t.finish(r, f)
	}
}

// in calls f for the room of a channel, locked.
func (t *table[R]) in(channel string, f func(R)) { t.finish(t.open(channel), f) }

// finish calls f for a locked room and releases the room, also after a panic.
func (t *table[R]) finish(r R, f func(R)) {
	defer t.release(r)
	f(r)
}
