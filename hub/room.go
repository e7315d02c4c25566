package hub

import "sync"

const (
	// inlineMembers is the size up to which a publisher broadcasts by itself.
	inlineMembers = 32
	// batchEvents bounds what is merged into one write.
	batchEvents = 64
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
	draining bool
	last     Position // of the newest message that was broadcast, or where a subscriber began
	began    bool     // last is that of a broadcast message
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

// attach notes that the broker delivers. False: everybody has left meanwhile and
// the attachment must be given back.
func (r *room) attach() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attached = !r.dead
	return r.attached
}

// abandon notes that the room is out of the hub, and reports whether there is an
// attachment to give back now.
func (r *room) abandon() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = true
	return r.attached
}

func (r *room) snapshot() RoomOptions {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.options
}

// broadcast appends messages to what is pending. It is called in the order of
// the offsets.
func (r *room) broadcast(ms []*Message) {
	r.mu.Lock()
	for _, m := range ms {
		r.admit(m)
	}
	r.wake(ms[len(ms)-1])
}

// admit appends one message, and a gap where its predecessor is missing. A
// broker repairs holes itself; this is what keeps one that could not from being
// silent.
func (r *room) admit(m *Message) {
	if p := m.Position; !p.IsZero() {
		switch {
		case r.last.Epoch == p.Epoch && p.Offset <= r.last.Offset:
			if r.began {
				return // delivered before
			}
			// A subscriber read the log ahead of the broadcast; others may still
			// need this message, and each knows where it began itself.
			r.pending = append(r.pending, m)
			return
		case !r.last.IsZero() && (r.last.Epoch != p.Epoch || p.Offset != r.last.Offset+1):
			r.pending = append(r.pending, Gap{r.channel, Position{Epoch: p.Epoch, Offset: p.Offset - 1}})
		}
		r.last, r.began = p, true
	}
	r.pending = append(r.pending, m)
}

func (r *room) announce(ev Event) {
	r.mu.Lock()
	r.pending = append(r.pending, ev)
	r.wake(nil)
}

// wake sees to it that somebody drains the room, the publisher of m if it offered
// to, and releases mu.
func (r *room) wake(m *Message) {
	if r.draining || len(r.pending) == 0 {
		r.mu.Unlock()
		return
	}
	r.draining = true
	inline := m != nil && len(r.members) <= inlineMembers && m.claim()
	r.mu.Unlock()
	if !inline {
		go r.drain()
	}
}

// settle tells the room its position when no message has told it yet, so that a
// hole before the first broadcast message is seen too.
func (r *room) settle(p Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.IsZero() {
		r.last = p
	}
}

// drain broadcasts until nothing is pending.
func (r *room) drain() {
	for r.step() {
	}
}

// drainInline broadcasts once and leaves the rest, if any, to a goroutine, so
// that one publisher does not end up working for all others.
func (r *room) drainInline() {
	if r != nil && r.step() && r.more() {
		go r.drain()
	}
}

// more reports whether anything is pending; if not, the drain is over.
func (r *room) more() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining, r.shared = len(r.pending) > 0, false
	return r.draining
}

// step broadcasts what is pending, up to batchEvents. False ends the drain.
func (r *room) step() bool {
	r.mu.Lock()
	n := min(len(r.pending), batchEvents)
	if n == 0 {
		r.draining, r.shared = false, false
		r.mu.Unlock()
		return false
	}
	b := newBatch(r.pending[:n:n], r.options.Slow)
	if r.pending = r.pending[n:]; len(r.pending) == 0 {
		r.pending = nil
	}
	members := r.members
	r.shared = true
	r.mu.Unlock()

	for _, s := range members {
		if !b.passes(s.conn) {
			s.conn.deliver(s, b)
		}
	}
	return true
}
