package presence

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// maxTold is the greatest number of members that the store is told about at
	// once, pageSize that of those read at once.
	maxTold  = 512
	pageSize = 1000
	// maxTells is how often in a row a room tells the store about members while it
	// should be read. Reading after all is told shows least of what is about to
	// change, but a room that never comes to rest must be read as well.
	maxTells = 32
	// storeTimeout bounds a call of a store that does not answer.
	storeTimeout = 5 * time.Second
)

// link is how far a room and the store are in step. Guarded by the room's mu.
type link struct {
	busy     bool // a worker has the room, or will
	attached bool
	current  bool                // the view was read since the store last failed or missed something
	dirty    []*local            // are to be told
	tells    int                 // since the view was last read
	touched  map[string]struct{} // of whom the store told while it is being read; nil: it is not
	failures int                 // in a row
	retryAt  time.Time           // zero: no need to wait
}

// step is one thing to do with the store.
type step uint8

const (
	stepNone step = iota
	stepAttach
	stepTell
	stepRead
	stepDetach
	stepDrop // the room has nothing left
)

// next decides what is to be done first.
func (r *room) next() step {
	k := &r.link
	idle := len(r.locals) == 0 && r.watchers == 0
	switch {
	case r.dead || !k.retryAt.IsZero() && !idle:
		return stepNone
	case idle && k.attached:
		return stepDetach
	case idle:
		return stepDrop
	case !k.attached:
		return stepAttach
	case len(k.dirty) > 0 && (k.current || !r.readsNow()):
		return stepTell
	case !k.current:
		return stepRead
	}
	return stepNone
}

// readsNow reports that reading the view can no longer wait for members that the
// store is to be told about: somebody waits for the first snapshot, or it is
// taking too long.
func (r *room) readsNow() bool {
	return r.link.tells >= maxTells || r.link.tells > 0 && !r.ready
}

// queueForStore puts the room in the queue of the workers if there is work. Needs mu.
func (r *room) queueForStore() {
	if !r.link.busy && r.next() != stepNone {
		r.link.busy = true
		r.tracker.pool.add(r.work)
	}
}

// errPanicked is the error of a step that ended in a panic, which was logged.
var errPanicked = errors.New("presence: internal error")

// work does one step. Then it is the turn of other rooms.
func (r *room) work() {
	ctx, cancel := context.WithTimeout(r.tracker.ctx, storeTimeout)
	defer cancel()
	if !r.survives(func() { r.step(ctx) }) {
		r.change(func() { r.outcome(errPanicked) })
	}
	r.change(func() { r.link.busy = false })
}

// survives calls f and reports whether it returned without a panic.
func (r *room) survives(f func()) bool {
	return guard.Run(r.tracker.logger(), "the presence of a room", f)
}

// storeCall is one call of the store. A room that makes one is locked before it and
// after it, never during it.
type storeCall struct {
	call func(context.Context) error // runs without mu; nil: nothing is to be done
	done func(error)                 // runs with mu held afterwards
}

// step does what is to be done first.
func (r *room) step(ctx context.Context) {
	var c storeCall
	r.change(func() { c = r.prepare() })
	if c.call == nil {
		return
	}
	err := errPanicked
	r.survives(func() { err = c.call(ctx) })
	r.change(func() { c.done(err) })
}

// prepare returns the call that is to be made first. Needs mu.
func (r *room) prepare() storeCall {
	switch r.next() {
	case stepAttach:
		return r.attach()
	case stepTell:
		return r.tell()
	case stepRead:
		return r.read()
	case stepDetach:
		return r.detach()
	case stepDrop:
		return storeCall{call: r.drop, done: r.failed}
	}
	return storeCall{}
}

func (r *room) attach() storeCall {
	return storeCall{
		call: func(ctx context.Context) error { return r.tracker.store.Attach(ctx, r.channel) },
		done: func(err error) {
			r.link.attached = err == nil
			r.outcome(err)
		},
	}
}

func (r *room) detach() storeCall {
	// Before the call, because a connection that enters during it learns nothing of what
	// happens until the room has been attached and read again.
	r.link.attached, r.link.current = false, false
	r.ready, r.flushAt, r.view = false, time.Time{}, view{}
	return storeCall{
		call: func(context.Context) error {
			r.tracker.store.Detach(r.channel)
			return nil
		},
		done: r.failed,
	}
}

// failed is outcome for a step that cannot fail but by a panic.
func (r *room) failed(err error) {
	if err != nil {
		r.outcome(err)
	}
}

// drop takes the room out of the tracker, unless a connection entered meanwhile. It is
// called without mu.
func (r *room) drop(context.Context) error {
	t := r.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next() == stepDrop {
		r.end()
		delete(t.rooms, r.channel)
	}
	return nil
}

// end stops the room for good.
func (r *room) end() {
	r.dead = true
	r.waiting = nil
	if r.timer != nil {
		r.timer.Stop()
	}
}

// outcome follows each call of the store.
func (r *room) outcome(err error) {
	k := &r.link
	r.tracker.report(err)
	if err == nil {
		k.failures = 0
		return
	}
	k.failures++
	k.current = false
	ceiling := retryAfter(k.failures)
	k.retryAt = time.Now().Add(ceiling/2 + rand.N(ceiling/2))
	r.partial = true
	r.show()
	r.changed()
}
