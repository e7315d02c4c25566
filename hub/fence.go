package hub

import (
	"context"
	"slices"
)

// fence is an event that nobody gets. It stands in the order of what a room broadcasts, and is passed when all
// before it was handed to the connections.
type fence struct{ passed chan struct{} }

// Fence waits until a room has handed to its connections on this node what it had to broadcast when Fence was
// called. The error is that of ctx.
func (h *Hub) Fence(ctx context.Context, channel string) error {
	r := h.room(channel)
	if r == nil {
		return nil
	}
	f := &fence{make(chan struct{})}
	if !r.appendFence(f) {
		return nil
	}
	select {
	case <-f.passed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// appendFence appends a fence behind what is pending. It returns false if nothing is: the room is idle
// or dead. A drain that runs passes the fence. A fence has no weight, and its caller waits for it.
func (r *room) appendFence(f *fence) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead || !r.draining {
		return false
	}
	r.pending = append(r.pending, f)
	return true
}

// passFences passes the fences at the beginning of what is pending: all before them is done. Needs mu.
func (r *room) passFences() {
	for len(r.pending) > 0 {
		f, ok := r.pending[0].(*fence)
		if !ok {
			return
		}
		close(f.passed)
		r.pending[0] = nil
		r.pending = r.pending[1:]
	}
}

// dropFences passes all fences, because what is before them is lost. Needs mu.
func (r *room) dropFences() {
	r.pending = slices.DeleteFunc(r.pending, func(ev Event) bool {
		f, is := ev.(*fence)
		if is {
			close(f.passed)
		}
		return is
	})
}
