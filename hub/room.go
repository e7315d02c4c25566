package hub

import (
	"container/list"
	"sync"
)

// room is what the hub keeps for one channel while it has connections here.
type room struct {
	// Static after creation.
	hub     *Hub
	channel string
	ready   chan struct{} // closed when the broker has attached the room

	// Written before ready is closed, static afterwards.
	err error

	// Guarded by mu. members is shared with a broadcast while shared is set, and
	// then must not be changed within its length.
	mu       sync.Mutex
	options  RoomOptions
	attached bool // the broker delivers
	dead     bool // empty and out of the hub
	members  []*subscription
	shared   bool
	pending  []Event
	load     int        // weight of pending
	reserved int        // weight of what publishers are handing to the broker
	waiting  *list.List // publishers that wait for space, *waiter; nil: none ever did
	draining bool
	last     Position // of the newest message that was broadcast, or where a subscriber began
	delivered    bool     // last is that of a broadcast message
}

// add makes s a member. The caller holds the shard's lock.
func (r *room) add(s *subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.room, s.index = r, len(r.members)
	r.members = append(r.members, s)
}

// remove ends a membership and reports whether the room is empty now. A second
// call for the same subscription reports false.
func (r *room) remove(s *subscription) (empty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.index < 0 {
		return false
	}
	if r.shared {
		r.members = append([]*subscription(nil), r.members...)
		r.shared = false
	}
	last := len(r.members) - 1
	r.members[s.index] = r.members[last]
	r.members[s.index].index = s.index
	r.members[last] = nil
	r.members = r.members[:last]
	s.index = -1
	return last == 0
}

// markAttached notes that the broker delivers. False: everybody has left meanwhile and
// the attachment must be given back.
func (r *room) markAttached() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attached = !r.dead
	return r.attached
}

// markDead notes that the room is out of the hub, and reports whether there is an
// attachment to give back now.
func (r *room) markDead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = true
	return r.attached
}

func (r *room) currentOptions() RoomOptions {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.options
}

// setFirstPosition tells the room its position when no message has told it yet, so that a
// hole before the first broadcast message is seen too.
func (r *room) setFirstPosition(p Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.IsZero() {
		r.last = p
	}
}
