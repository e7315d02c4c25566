package presence

// Stats are figures for an operator.
type Stats struct {
	// Rooms is how many rooms with presence have connections on this node.
	Rooms int
	// Members is how many members are present by a connection to this node, or are in their
	// grace here. A user counts once for each room.
	Members int
}

// Stats returns the current figures. It visits all rooms, so it is for a caller that asks every
// few seconds.
func (t *Tracker) Stats() Stats {
	rooms := t.snapshot()
	s := Stats{Rooms: len(rooms)}
	for _, r := range rooms {
		s.Members += r.members()
	}
	return s
}

// snapshot lists the rooms, so that they can be visited without the lock.
func (t *Tracker) snapshot() []*room {
	t.mu.Lock()
	defer t.mu.Unlock()
	rooms := make([]*room, 0, len(t.rooms))
	for _, r := range t.rooms {
		rooms = append(rooms, r)
	}
	return rooms
}

// members is how many members are present here.
func (r *room) members() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.locals {
		if l.present() {
			n++
		}
	}
	return n
}
