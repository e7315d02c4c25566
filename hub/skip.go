package hub

// Skip tells the connections of a room that delivery goes on after a position,
// because what lies before it can not be had any more. A broker calls it like
// Broadcast and in order with it; one that does not leaves it to the next message,
// whose position shows the hole.
func (h *Hub) Skip(channel string, to Position) {
	if r := h.room(channel); r != nil {
		r.skip(to)
	}
}

func (r *room) skip(to Position) {
	r.mu.Lock()
	r.last, r.began = to, true
	r.gap(to)
	r.wake(nil)
}
