package memory

// idleList orders rooms by their last use. The zero value is empty.
type idleList struct {
	newest, oldest *room
}

// push adds r as the newest.
func (l *idleList) push(r *room) {
	r.prev, r.next = nil, l.newest
	if l.newest != nil {
		l.newest.prev = r
	} else {
		l.oldest = r
	}
	l.newest = r
}

// remove removes r.
func (l *idleList) remove(r *room) {
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		l.newest = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	} else {
		l.oldest = r.prev
	}
	r.prev, r.next = nil, nil
}
