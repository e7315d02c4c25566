package presence

var _ Sink = (*Tracker)(nil)

// Changed takes over events of a room. It is called by the store.
func (t *Tracker) Changed(channel string, evs ...Event) {
	if r := t.room(channel); r != nil {
		r.change(func() {
			for _, ev := range evs {
				r.happened(ev)
			}
			r.changed()
		})
	}
}

// Missed has a room read again. It is called by the store.
func (t *Tracker) Missed(channel string) {
	if r := t.room(channel); r != nil {
		r.change(func() { r.link.current = false })
	}
}

// happened applies one event to the view.
func (r *room) happened(ev Event) {
	key := ev.Member.Key
	if r.link.touched != nil {
		r.link.touched[key] = struct{}{}
	}
	l := r.locals[key]
	switch {
	case ev.Kind == Left && l != nil:
		r.expelled(l)
	case ev.Kind == Left:
		r.view.drop(key)
	default:
		if l != nil {
			l.unknown = false
		}
		r.view.put(ev.Member)
	}
}

// expelled follows the news that a member left that this node may hold: it just
// told the store so, or the store took this node for dead. A member that is here
// stays, and the store is told again.
func (r *room) expelled(l *local) {
	if l.here() {
		l.unknown = true
	} else {
		r.view.drop(l.key)
	}
	if l.asking {
		l.doubt = l.told != nil
		return
	}
	l.told = nil
	r.reconsider(l)
}
