package hub

import (
	"container/list"
	"context"
	"errors"
	"time"
)

// ErrCrowded is returned to a publisher that would have to wait longer than
// [WithPatience] allows, because a room has more to broadcast than it may hold.
var ErrCrowded = errors.New("hub: the room has too much to broadcast")

// patience is the key of a context value: the time until which a publisher waits.
type patience struct{}

// WithPatience bounds how long publishers wait for space in rooms. The bound is for all
// waits under the returned context together. Without it they wait until the context ends.
func WithPatience(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patience{}, time.Now().Add(d))
}

// Space is what a publisher has reserved in a room. The zero Space means none.
type Space struct {
	room   *room // nil if the channel has no connections on this node
	weight int
}

// waiter is a publisher that waits for space.
type waiter struct {
	weight int
	ready  chan struct{} // closed when the space is reserved
}

// Reserve waits until a room has space for an event of a size in bytes, and reserves it
// until [Space.Release]. It is for callers of [Hub.Announce]; [Hub.Publish] reserves space
// itself. Errors are that of ctx and [ErrCrowded].
func (h *Hub) Reserve(ctx context.Context, channel string, size int) (Space, error) {
	s, _, err := h.reserve(ctx, nil, channel, max(size, minWeight))
	return s, err
}

// reserve is Reserve by weight. It also returns the options of the room. c is the publisher, whose
// reader waits; nil for another one.
func (h *Hub) reserve(ctx context.Context, c *Conn, channel string, weight int) (Space, RoomOptions, error) {
	r := h.room(channel)
	if r == nil {
		return Space{}, h.settings.Load().Room(channel), nil
	}
	r.mu.Lock()
	o, place := r.options, (*list.Element)(nil)
	if r.mustWait(weight) {
		place = r.queueWaiter(weight)
	} else {
		r.reserved += weight
	}
	r.mu.Unlock()
	if place != nil {
		if c != nil {
			c.Yield()
		}
		if err := r.waitForSpace(ctx, place); err != nil {
			return Space{}, o, err
		}
	}
	return Space{r, weight}, o, nil
}

// Release releases the space. It is called once.
func (s Space) Release() {
	if s.room == nil {
		return
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.room.reserved -= s.weight
	s.room.grantSpace()
}

// mustWait reports whether a publisher has to wait, for space or behind other publishers.
// Needs mu.
func (r *room) mustWait(weight int) bool {
	return !r.fits(weight) || r.waiting != nil && r.waiting.Len() > 0
}

// fits reports whether there is space for a weight. A room that holds something checks again
// when it has broadcast a part of it, and a room that holds nothing has space. So no room
// has to wake the publishers of another one. Needs mu.
func (r *room) fits(weight int) bool {
	held := r.load + r.reserved
	return held == 0 || held+weight <= maxPending && r.hub.pending.Load()+int64(weight) <= maxAllPending
}

// queueWaiter appends a publisher to those that wait. Needs mu.
func (r *room) queueWaiter(weight int) *list.Element {
	if r.waiting == nil {
		r.waiting = list.New()
	}
	r.hub.stats.waited.Add(1)
	return r.waiting.PushBack(&waiter{weight: weight, ready: make(chan struct{})})
}

// grantSpace reserves space for the waiting publishers, the oldest first, while there is
// any. Needs mu.
func (r *room) grantSpace() {
	if r.waiting == nil {
		return
	}
	for e := r.waiting.Front(); e != nil; e = r.waiting.Front() {
		w := e.Value.(*waiter)
		if !r.fits(w.weight) {
			return
		}
		r.reserved += w.weight
		r.waiting.Remove(e)
		close(w.ready)
	}
}

// waitForSpace waits until a queued publisher has its space.
func (r *room) waitForSpace(ctx context.Context, place *list.Element) error {
	w := place.Value.(*waiter)
	var late <-chan time.Time
	if until, ok := ctx.Value(patience{}).(time.Time); ok {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		late = t.C
	}
	err := ErrCrowded
	select {
	case <-w.ready:
		return nil
	case <-late:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if !r.leaveQueue(place) {
		return nil // the space came at the same moment
	}
	if err == ErrCrowded {
		r.hub.stats.refused.Add(1)
	}
	return err
}

// leaveQueue removes a publisher from the queue. It returns false if the publisher has its
// space already.
func (r *room) leaveQueue(place *list.Element) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-place.Value.(*waiter).ready:
		return false
	default:
	}
	r.waiting.Remove(place)
	r.grantSpace() // the removed publisher may have needed more than those behind it
	return true
}
