package presence

import (
	"slices"
	"time"
)

// scheduleFlush makes the next flush come after the window, if the view has changed. Needs mu.
func (r *room) scheduleFlush() {
	switch {
	case !r.shown:
	case len(r.view.pending) == 0 && r.flagged == r.partial:
		r.flushAt = time.Time{} // the changes have cancelled out
	case r.flushAt.IsZero():
		r.flushAt = time.Now().Add(Window(r.view.announced.Len()))
	}
}

// flush announces the pending changes. Needs mu.
func (r *room) flush() {
	r.flushAt = time.Time{}
	limit := r.options().limit()
	whole := len(r.view.pending) > limit
	c := r.view.flush()
	r.seq++
	r.flagged = r.partial
	if whole {
		r.announce(r.snapshot("", limit))
		return
	}
	r.announce(&Diff{
		Channel: r.channel, Seq: r.seq,
		Entered: c.entered, Updated: c.updated, Left: c.left, Renewed: c.renewed,
		apart: r.apart(slices.Concat(c.entered, c.renewed)),
		Count: r.view.announced.Len(), Partial: r.partial,
	})
}

// apart returns which of these members are the own ones of connections that are not told of them.
// It is nil if there are none. Needs mu.
func (r *room) apart(changed []*Member) (own map[string]*Member) {
	for _, m := range changed {
		l := r.locals[m.Key]
		if l == nil {
			continue
		}
		for _, s := range l.stays {
			if s.apart == "" {
				continue
			}
			if own == nil {
				own = make(map[string]*Member)
			}
			own[s.apart] = m
		}
	}
	return own
}

func (r *room) announce(f Frame) {
	r.out = append(r.out, func() { r.tracker.announce(r.channel, f) })
}

// askSnapshot counts a new request and passes it to snapshotFor. Needs mu.
func (r *room) askSnapshot(q request) {
	if q.deliver != nil {
		q.stay.inFlight.Add(1)
		r.snapshotFor(q)
	}
}

// snapshotFor delivers a snapshot, or queues the request until the view is ready. Needs mu.
func (r *room) snapshotFor(q request) {
	switch {
	case q.stay.over:
	case !r.shown:
		r.waiting = append(r.waiting, q)
	default:
		r.queueSnapshot(q, r.options().limit())
	}
}

// queueSnapshot makes a snapshot of the view and queues its delivery. Needs mu.
func (r *room) queueSnapshot(q request, limit int) {
	s := r.snapshot(q.after, limit)
	if l := q.stay.member; l != nil && l.present() && r.view.announced.Get(l.key) == nil {
		s.Self = l.shown
	}
	r.out = append(r.out, func() { r.deliver(q, s) })
}

// deliver delivers a snapshot, unless the stay has ended meanwhile. It is called without mu.
func (r *room) deliver(q request, s *Snapshot) {
	defer q.stay.inFlight.Add(-1)
	r.mu.Lock()
	over := q.stay.over
	r.mu.Unlock()
	if !over {
		q.deliver(s)
	}
}

func (r *room) snapshot(after string, limit int) *Snapshot {
	s := r.view.page(after, limit)
	s.Channel, s.Seq, s.Partial = r.channel, r.seq, r.partial
	return s
}

// makeReady notes that the view may be shown, and delivers the queued snapshots. No client
// has seen the view yet, so the pending changes need no frame. Needs mu.
func (r *room) makeReady() {
	if r.shown {
		return
	}
	limit := r.options().limit() // before any change: if it panics, the requests stay queued
	r.shown, r.flagged = true, r.partial
	r.view.flush()
	for _, q := range r.waiting {
		if !q.stay.over {
			r.queueSnapshot(q, limit)
		}
	}
	r.waiting = nil
}
