package presence

var _ Sink = (*Tracker)(nil)

// Changed applies events of a room. The store calls it.
func (t *Tracker) Changed(channel string, evs ...Event) {
	if r := t.room(channel); r != nil {
		r.change(func() {
			for _, ev := range evs {
				r.applyEvent(ev)
			}
			r.scheduleFlush()
		})
	}
}

// Missed makes the tracker read a room again. The store calls it.
func (t *Tracker) Missed(channel string) {
	if r := t.room(channel); r != nil {
		r.change(func() { r.link.current = false })
	}
}

// applyEvent applies one event to the view. Needs mu.
func (r *room) applyEvent(ev Event) {
	key := ev.Member.Key
	if r.link.reported != nil {
		r.link.reported[key] = struct{}{}
	}
	l := r.locals[key]
	switch {
	case ev.Kind == Left && l != nil:
		r.applyLeft(l)
	case ev.Kind == Left:
		r.view.drop(key)
	default:
		if l != nil {
			l.unconfirmed = false
		}
		r.view.put(ev.Member)
	}
}

// applyLeft applies a Left event for a member that this node knows. Either this node has
// told the store that the member left, or the store took this node for dead. A member that
// is present here stays in the view, and the store is told again. Needs mu.
func (r *room) applyLeft(l *local) {
	if l.present() {
		l.unconfirmed = true
	} else {
		r.view.drop(l.key)
	}
	if l.telling {
		l.doubtful = l.stored != nil
		return
	}
	l.stored = nil
	r.checkStore(l)
}
