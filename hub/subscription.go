package hub

// phase is the state of a subscription.
type phase uint8

const (
	joining phase = iota // the position is being read, and live events are held back
	live
	gone
)

// subscription is one connection's membership in one room.
type subscription struct {
	// Static after creation; room is set by room.add.
	conn    *Conn
	channel string
	room    *room
	pattern *Pattern // nil: the subscription is to a channel
	member  *string  // see [SubscribeOptions.Member]; nil: none

	index int // in room.members, -1 after that; guarded by room.mu, and of no use without room

	// Guarded by conn.mu.
	phase     phase
	interests uint8
	gap       bool     // messages were dropped, and the client does not know of it
	shown     uint64   // it gets no [Numbered] event up to this number
	sieve     *sieve   // nil: it gets all messages
	track     *track   // nil: nobody asks how far it is
	held      *held    // while joining
	queued    chain    // its messages in conn.queue
	from      Position // where delivery started; zero after the first live message
	lostAt    Position // of the newest dropped message
}

// held is what arrives in a room while the position of a subscription is being read.
type held struct {
	events  []Event
	bytes   int
	dropped bool
}

// hold adds events. If there are too many it drops the oldest ones; then the position of
// the first that is left shows the hole.
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

// positionFits compares the position p of a message with the position at which a
// subscription started. wanted reports whether the message is to be delivered, hole
// whether others are missing before it.
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
