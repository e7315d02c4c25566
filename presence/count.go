package presence

// Count returns how many members of all nodes a room has, as far as this node knows. known is
// false if this node has nobody in the room.
func (t *Tracker) Count(channel string) (n int, known bool) {
	r := t.room(channel)
	if r == nil {
		return 0, false
	}
	known = r.look(func() { n = r.view.announced.Len() })
	return n, known
}

// Rooms returns how many rooms this node has members in, and how many members it knows there.
func (t *Tracker) Rooms() (rooms, members int) {
	t.mu.Lock()
	all := make([]*room, 0, len(t.rooms))
	for _, r := range t.rooms {
		all = append(all, r)
	}
	t.mu.Unlock()
	for _, r := range all {
		r.look(func() {
			rooms++
			members += r.view.announced.Len()
		})
	}
	return rooms, members
}
