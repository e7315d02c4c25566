package presence

import (
	"context"
	"time"
)

// telling is what the store is told about some members in one step.
type telling struct {
	locals []*local
	enter  []*Member
	leave  []Departure
}

// checkStore queues a member if the store does not have its latest state. It removes a
// member that has left if the store knows that it left. Needs mu.
func (r *room) checkStore(l *local) {
	switch {
	case l.dirty:
		// It is in the queue.
	case !l.inStore():
		l.dirty = true
		r.link.dirty = append(r.link.dirty, l)
	case !l.present():
		delete(r.locals, l.key)
	}
}

// nextTelling takes the next members from the queue. Needs mu.
func (r *room) nextTelling() (t telling) {
	k := &r.link
	now := time.Now()
	n := min(len(k.dirty), maxTold)
	for _, l := range k.dirty[:n] {
		l.dirty = false
		if l.inStore() {
			r.checkStore(l)
			continue
		}
		l.stored, l.telling, l.doubtful = l.wanted(), true, false
		t.locals = append(t.locals, l)
		if l.stored != nil {
			t.enter = append(t.enter, l.stored)
		} else {
			t.leave = append(t.leave, Departure{l.key, now.Sub(l.seen)})
		}
	}
	clear(k.dirty[:n])
	if k.dirty = k.dirty[n:]; len(k.dirty) == 0 {
		k.dirty = nil
	}
	return t
}

// tellStore tells the store the latest state of some members of this node. Needs mu.
func (r *room) tellStore() storeCall {
	t := r.nextTelling()
	r.link.tells++
	return storeCall{
		call: func(ctx context.Context) error { return t.send(ctx, r.tracker.store, r.channel) },
		done: func(err error) { r.toldStore(&t, err) },
	}
}

// toldStore applies the result of a telling. Needs mu.
func (r *room) toldStore(t *telling, err error) {
	for _, l := range t.locals {
		l.telling = false
		if err != nil || l.doubtful {
			l.stored = unsure
		}
		if err != nil {
			r.showLocal(l)
		}
		r.checkStore(l)
	}
	r.storeResult(err)
}

func (t *telling) send(ctx context.Context, s Store, channel string) error {
	if len(t.enter) > 0 {
		if err := s.Enter(ctx, channel, t.enter); err != nil {
			return err
		}
	}
	if len(t.leave) > 0 {
		return s.Leave(ctx, channel, t.leave)
	}
	return nil
}

// showLocal shows what this node knows of a member, while the store fails. The next read
// brings back what other nodes know. Needs mu.
func (r *room) showLocal(l *local) {
	if !l.present() {
		r.view.drop(l.key)
		return
	}
	if r.view.get(l.key) == nil {
		l.unconfirmed = true
	}
	r.view.put(l.shown)
}
