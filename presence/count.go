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

// Entered is like [Tracker.Count], also with the members that have entered and are not announced yet, and
// without those that have left. The store learns of members of this node a moment later.
func (t *Tracker) Entered(channel string) (n int) {
	if r := t.room(channel); r != nil {
		r.look(func() { n = r.view.size() })
	}
	return n
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
