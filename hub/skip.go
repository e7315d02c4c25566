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
	if r.appendSkip(to) {
		go r.drain()
	}
}

// appendSkip is appendMessages for a gap up to a position, where the room goes on.
func (r *room) appendSkip(to Position) (start bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.delivered = to, true
	r.appendGap(to)
	return r.startsDrain(nil)
}
