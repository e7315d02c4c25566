package hub

// The states of a subscription.
type phase uint8

const (
	joining phase = iota // the position is being read, live events are held back
	live
	gone
)

// subscription is one connection's membership in one room.
type subscription struct {
	// Static after creation; room is set by room.add.
	conn    *Conn
	channel string
	room    *room

	index int // in room.members, -1 outside; guarded by room.mu

	// Guarded by conn.mu.
	phase     phase
	interests uint8
	gap       bool     // messages were dropped that the connection does not know of
	held      *held    // while joining
	queued    chain    // its messages in conn.queue
	from      Position // until the first live message: where delivery began
	lostAt      Position // of the newest dropped message
}

// held is what arrives in a room while a member's position is being read.
type held struct {
	events  []Event
	bytes   int
	dropped bool
}

// hold keeps events back, the newest ones if there are too many; the position of
// the first that is left then shows the hole.
func (h *held) hold(events []Event, maxEvents, maxBytes int) {
	for _, ev := range events {
		h.events = append(h.events, ev)
		h.bytes += eventSize(ev)
	}
	for len(h.events) > 1 && (len(h.events) > maxEvents || h.bytes > maxBytes) {
		h.bytes -= eventSize(h.events[0])
		h.events, h.dropped = h.events[1:], true
	}
}

// positionFits decides about a message of a connection that began at from: whether it is
// still to come, and whether others are missing before it.
func positionFits(from, p Position) (wanted, hole bool) {
	switch {
	case from.IsZero() || p.IsZero():
		return true, false
	case from.Epoch != p.Epoch:
		return true, true
	default:
		return p.Offset > from.Offset, p.Offset > from.Offset+1
	}
}
