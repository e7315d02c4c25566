package redis

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// maxCounted is of how many users Redis is told at once.
const maxCounted = 500

// headcount tells Redis how many connections users have on this node, all changes
// that there are in one script, while nothing is told a script for each third of a
// lease. What a node has said goes with its lease, so that one that died counts no
// longer than that.
type headcount struct {
	// Set by init.
	k    *Control
	wake chan struct{}

	number uint64 // of the latest script; owned by keep

	mu    sync.Mutex
	all   map[string]int      // connections of the users that have any; nil: nothing is counted
	dirty map[string]struct{} // users that Redis is to be told of
	anew  bool                // Redis is to forget what it was told before
}

func (h *headcount) init(k *Control) { h.k, h.wake = k, make(chan struct{}, 1) }

// Elsewhere tells how many connections of a user the other nodes have.
func (k *Control) Elsewhere(ctx context.Context, user string) (int, error) {
	n := k.c.names
	result, err := k.c.batch.do(ctx, &call{
		script: elsewhereScript, keys: []string{n.nodes()}, args: []any{k.c.node, n.users(""), user},
	})
	if err != nil {
		return 0, err
	}
	sum, ok := result.(int64)
	if !ok {
		return 0, unexpected(result)
	}
	return int(sum), nil
}

// Here says how many connections of a user this node has.
func (k *Control) Here(user string, n int) {
	h := &k.heads
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		return
	}
	if n > 0 {
		h.all[strings.Clone(user)] = n
	} else {
		delete(h.all, user)
	}
	h.dirty[strings.Clone(user)] = struct{}{}
	h.rouse()
}

// Count begins with what this node has; nil ends it.
func (k *Control) Count(all map[string]int) {
	h := &k.heads
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = all
	h.begin()
	h.rouse()
}

// begin has Redis told everything. Needs mu.
func (h *headcount) begin() {
	h.anew, h.dirty = true, make(map[string]struct{}, len(h.all))
	for user := range h.all {
		h.dirty[user] = struct{}{}
	}
}

func (h *headcount) rouse() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// keep tells Redis what changes, and renews the lease, until the control is closed.
func (h *headcount) keep() {
	var b backoff
	for h.k.ctx.Err() == nil {
		on, more, err := h.tell()
		switch {
		case err != nil:
			_ = pause(h.k.ctx, b.next()) // whether it is over is seen above
			continue
		case more:
			continue
		}
		b.reset()
		third := h.k.c.o.Lease / 3
		timer := time.NewTimer(third/2 + rand.N(third/2))
		if !on {
			timer.Stop()
		}
		select {
		case <-h.wake:
		case <-timer.C:
		case <-h.k.ctx.Done():
		}
		timer.Stop()
	}
	h.retire()
}

// tell tells Redis of the users that have changed, or of none. More reports that there
// are others.
func (h *headcount) tell() (on, more bool, err error) {
	t := h.take()
	if t == nil {
		return false, false, nil
	}
	n := h.k.c.names
	h.number++
	t.args[1] = h.number
	result, err := h.k.c.batch.do(h.k.ctx, &call{
		script: countScript, keys: []string{n.nodes(), n.users(h.k.c.node)}, args: t.args, again: true,
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.all == nil:
	case err != nil:
		h.anew = h.anew || t.anew
		for _, user := range t.users {
			h.dirty[user] = struct{}{}
		}
	case result != int64(1):
		h.begin()
	}
	return true, len(h.dirty) > 0, err
}

// telling is what a script says.
type telling struct {
	anew  bool
	users []string
	args  []any
}

// take gives the next changes; nil when nothing is counted.
func (h *headcount) take() *telling {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		return nil
	}
	t := &telling{anew: h.anew, args: []any{h.k.c.node, nil, h.k.c.o.Lease.Milliseconds(), 0}}
	if h.anew {
		t.args[3] = 1
	}
	h.anew = false
	for user := range h.dirty {
		if len(t.users) == maxCounted {
			break
		}
		delete(h.dirty, user)
		t.users = append(t.users, user)
		t.args = append(t.args, user, h.all[user])
	}
	return t
}

// retire takes back what was said, as far as Redis can be reached.
func (h *headcount) retire() {
	ctx, cancel := context.WithTimeout(context.Background(), h.k.c.o.Timeout)
	defer cancel()
	n := h.k.c.names
	if h.number > 0 {
		_, _ = h.k.c.batch.do(ctx, &call{args: []any{"zrem", n.nodes(), h.k.c.node}})
	}
}
