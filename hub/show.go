package hub

// Numbered is an optional interface of an announced [Event] that changes a state of the room. A
// connection that was shown the state by [Hub.Show] does not get the changes that were in it.
type Numbered interface {
	// Number returns the number of the state that the event leads to. It grows by 1 from event to
	// event, and starts at 1.
	Number() uint64
}

// Show sends a connection events that show the state of a room with this number. From now on the
// connection gets only the [Numbered] events behind it. An event may be announced before the
// state is shown and wait in the room until later, so the order of the two says nothing.
func (h *Hub) Show(c *Conn, channel string, number uint64, evs ...Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.subscription(channel); s != nil {
		s.shown = number
	}
	for _, ev := range evs {
		c.send(ev)
	}
}

// concerned reports whether an event is for a subscription with its interests, and not a part of
// the state that the connection was shown.
func (s *subscription) concerned(ev Event) bool {
	if chosen, ok := ev.(Selective); ok && !chosen.Concerns(s.interests) {
		return false
	}
	n, ok := ev.(Numbered)
	return !ok || n.Number() > s.shown
}
