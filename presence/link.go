package presence

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// maxTold is the greatest number of members in one call that tells the store, and
	// pageSize in one that reads.
	maxTold  = 512
	pageSize = 1000
	// maxTells is how often in a row a room tells the store about members before it reads.
	// Telling all first is best, because then the view has least that is about to change.
	// But a room that changes all the time must be read as well.
	maxTells = 32
	// storeTimeout bounds a call of the store.
	storeTimeout = 5 * time.Second
)

// link is what a room has to do with the store. Guarded by the room's mu.
type link struct {
	busy     bool // a worker has the room, or it is in the queue
	attached bool
	current  bool                // the view was read since the store last failed or missed something
	dirty    []*local            // members of which the store does not know the latest state
	tells    int                 // calls that told the store since the view was last read
	reported map[string]struct{} // keys of which the store sent events during a read; nil: no read runs
	failures int                 // in a row
	retryAt  time.Time           // zero: no need to wait
}

// step is what a room does with the store next.
type step uint8

const (
	stepNone step = iota
	stepAttach
	stepTell
	stepRead
	stepDetach
	stepDrop // the room holds nothing and is removed
)

// nextStep returns what is to be done first. Needs mu.
func (r *room) nextStep() step {
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
	case len(k.dirty) > 0 && (k.current || !r.mustRead()):
		return stepTell
	case !k.current:
		return stepRead
	}
	return stepNone
}

// mustRead reports whether the view must be read although the store does not know all
// members of this node yet: a client waits for the first snapshot, or telling the store
// takes too long.
func (r *room) mustRead() bool {
	return r.link.tells >= maxTells || r.link.tells > 0 && !r.shown
}

// queueForStore puts the room in the queue of the workers if there is work. Needs mu.
func (r *room) queueForStore() {
	if !r.link.busy && r.nextStep() != stepNone {
		r.link.busy = true
		r.tracker.pool.add(r.workOnStore)
	}
}

// errPanicked is the error of a step that ended in a panic, which was logged.
var errPanicked = errors.New("presence: internal error")

// workOnStore does one step, and then the worker takes another room. Also after a panic the
// room is no longer busy: otherwise no worker would take it again.
func (r *room) workOnStore() {
	defer r.change(func() { r.link.busy = false })
	ctx, cancel := context.WithTimeout(r.tracker.ctx, storeTimeout)
	defer cancel()
	if !r.survives(func() { r.doStep(ctx) }) {
		r.change(func() { r.storeResult(errPanicked) })
	}
}

// survives calls f and reports whether it returned without a panic.
func (r *room) survives(f func()) bool {
	return guard.Run(r.tracker.logger(), "the presence of a room", f)
}

// storeCall is one call of the store. The room is locked before and after the call, never
// during it.
type storeCall struct {
	call func(context.Context) error // runs without mu; nil: nothing is to be done
	done func(error)                 // runs with mu held afterwards
}

// doStep prepares a call, makes it and applies its result.
func (r *room) doStep(ctx context.Context) {
	var c storeCall
	r.change(func() { c = r.prepareCall() })
	if c.call == nil {
		return
	}
	err := errPanicked
	r.survives(func() { err = c.call(ctx) })
	r.change(func() { c.done(err) })
}

// prepareCall returns the call for the next step. Needs mu.
func (r *room) prepareCall() storeCall {
	switch r.nextStep() {
	case stepAttach:
		return r.attachStore()
	case stepTell:
		return r.tellStore()
	case stepRead:
		return r.readStore()
	case stepDetach:
		return r.detachStore()
	case stepDrop:
		return storeCall{call: r.drop, done: r.storeFailed}
	}
	return storeCall{}
}

func (r *room) attachStore() storeCall {
	return storeCall{
		call: func(ctx context.Context) error { return r.tracker.store.Attach(ctx, r.channel) },
		done: func(err error) {
			r.link.attached = err == nil
			r.storeResult(err)
		},
	}
}

func (r *room) detachStore() storeCall {
	// Before the call: a connection that enters during it gets no events until the room
	// was attached and read again.
	r.link.attached, r.link.current = false, false
	r.shown, r.flushAt, r.view = false, time.Time{}, view{}
	return storeCall{
		call: func(context.Context) error {
			r.tracker.store.Detach(r.channel)
			return nil
		},
		done: r.storeFailed,
	}
}

// storeFailed is storeResult for a step that fails only by a panic.
func (r *room) storeFailed(err error) {
	if err != nil {
		r.storeResult(err)
	}
}

// drop removes the room from the tracker, unless a connection entered meanwhile. It is
// called without mu.
func (r *room) drop(context.Context) error {
	t := r.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nextStep() == stepDrop {
		r.markDead()
		delete(t.rooms, r.channel)
	}
	return nil
}

// markDead ends the room. Needs mu.
func (r *room) markDead() {
	r.dead = true
	r.waiting = nil
	if r.timer != nil {
		r.timer.Stop()
	}
}

// storeResult applies the result of a call of the store. Needs mu.
func (r *room) storeResult(err error) {
	k := &r.link
	r.tracker.logFailure(err)
	if err == nil {
		k.failures = 0
		return
	}
	k.failures++
	k.current = false
	ceiling := retryAfter(k.failures)
	k.retryAt = time.Now().Add(ceiling/2 + rand.N(ceiling/2))
	r.partial = true
	r.makeReady()
	r.scheduleFlush()
}
