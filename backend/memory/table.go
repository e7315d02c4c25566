package memory

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// slot is the part of a room that its table uses.
type slot struct {
	channel string // static after creation

	mu   sync.Mutex // of the whole room
	dead bool       // removed from the table
}

func (s *slot) self() *slot { return s }

// slotted is a room that embeds a slot. bare reports whether it holds nothing. It is called
// with the room's lock held.
type slotted interface {
	self() *slot
	bare() bool
}

// table has the rooms of all channels that hold something. Lock order: mu, then that of a
// room.
type table[R slotted] struct {
	create func(channel string) R // static after creation

	mu sync.Mutex
	by map[string]R // by channel
}

func (t *table[R]) init(create func(channel string) R) {
	t.create, t.by = create, make(map[string]R)
}

// in calls f with the locked room of a channel, which may be new. Then it removes the room
// if the room holds nothing.
func (t *table[R]) in(channel string, f func(R)) {
	for !t.use(t.get(channel), f) { // it was removed in between
	}
}

// each calls f with every room, locked.
func (t *table[R]) each(f func(R)) {
	for _, r := range t.all() {
		t.use(r, f)
	}
}

// get returns the room of a channel, which may be new.
func (t *table[R]) get(channel string) R {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.by[channel]
	if !ok {
		// A copy of the name: the caller's may be a small part of a large frame.
		channel = strings.Clone(channel)
		r = t.create(channel)
		t.by[channel] = r
	}
	return r
}

func (t *table[R]) all() []R {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.by))
}

// use is in for a room that was found before. It returns false, without a call, if the room
// was removed from the table.
func (t *table[R]) use(r R, f func(R)) (alive bool) {
	s, bare := r.self(), false
	defer func() { // after the unlock
		if bare {
			t.remove(r)
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return false
	}
	defer func() { bare = r.bare() }() // also after a panic
	f(r)
	return true
}

// remove removes a room from the table, if it still holds nothing.
func (t *table[R]) remove(r R) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := r.self()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dead && r.bare() {
		s.dead = true
		delete(t.by, s.channel)
	}
}
