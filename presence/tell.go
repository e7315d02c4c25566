package presence

import (
	"context"
	"time"
)

// telling is what the store is told in one go about some members.
type telling struct {
	locals []*local
	enter  []*Member
	leave  []Departure
}

// reconsider compares what the store knows of a member with what it should, and
// forgets a member of whom nobody needs to know.
func (r *room) reconsider(l *local) {
	switch {
	case l.dirty:
		// Will be looked at when it is its turn.
	case !l.settled():
		l.dirty = true
		r.link.dirty = append(r.link.dirty, l)
	case !l.here():
		delete(r.locals, l.key)
	}
}

// gather takes the next members that are to be told about.
func (r *room) gather() (t telling) {
	k := &r.link
	now := time.Now()
	n := min(len(k.dirty), maxTold)
	for _, l := range k.dirty[:n] {
		l.dirty = false
		if l.settled() {
			r.reconsider(l)
			continue
		}
		l.told, l.asking, l.doubt = l.want(), true, false
		t.locals = append(t.locals, l)
		if l.told != nil {
			t.enter = append(t.enter, l.told)
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

// tell brings the store up to date about members of this node. Needs mu.
func (r *room) tell() storeCall {
	t := r.gather()
	r.link.tells++
	return storeCall{
		call: func(ctx context.Context) error { return t.send(ctx, r.tracker.store, r.channel) },
		done: func(err error) { r.wasTold(&t, err) },
	}
}

// wasTold follows the store's answer to what it was told. Needs mu.
func (r *room) wasTold(t *telling, err error) {
	for _, l := range t.locals {
		l.asking = false
		if err != nil || l.doubt {
			l.told = unsure
		}
		if err != nil {
			r.fallBack(l)
		}
		r.reconsider(l)
	}
	r.outcome(err)
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

// fallBack shows of a member what this node knows, while the store fails. What
// others know comes back with the next read.
func (r *room) fallBack(l *local) {
	if !l.here() {
		r.view.drop(l.key)
		return
	}
	if r.view.get(l.key) == nil {
		l.unknown = true
	}
	r.view.put(l.shown)
}
