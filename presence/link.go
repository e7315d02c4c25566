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

// tellStore puts the room in the queue of the workers if there is work.
func (r *room) tellStore() {
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
	r.mu.Lock()
	if !guard.Run(r.tracker.logger(), "the presence of a room", func() { r.step(ctx) }) {
		r.outcome(errPanicked)
	}
	r.link.busy = false
	r.unlock()
}

// step is work with mu held.
func (r *room) step(ctx context.Context) {
	switch r.next() {
	case stepAttach:
		r.attach(ctx)
	case stepTell:
		r.tell(ctx)
	case stepRead:
		r.read(ctx)
	case stepDetach:
		r.detach()
	case stepDrop:
		r.drop()
	}
}

func (r *room) attach(ctx context.Context) {
	var err error
	r.away(func() { err = r.tracker.store.Attach(ctx, r.channel) })
	r.link.attached = err == nil
	r.outcome(err)
}

func (r *room) detach() {
	// First, because whoever comes meanwhile is not told of what happens until the
	// room has been attached and read again.
	r.link.attached, r.link.current = false, false
	r.ready, r.flushAt, r.view = false, time.Time{}, view{}
	r.away(func() { r.tracker.store.Detach(r.channel) })
}

// drop takes the room out of the tracker, unless somebody came meanwhile.
func (r *room) drop() {
	r.mu.Unlock()
	r.tracker.mu.Lock()
	r.mu.Lock()
	defer r.tracker.mu.Unlock()
	if r.next() == stepDrop {
		r.end()
		delete(r.tracker.rooms, r.channel)
	}
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
