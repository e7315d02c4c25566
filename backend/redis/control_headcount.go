package redis

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// maxReported is how many users one script reports.
const maxReported = 500

// headcount reports to Redis how many connections each user has on this node. One script
// reports all changes that are waiting. When nothing changes, a script renews the lease every
// third of it. What a node reported ends with its lease, so the connections of a dead node
// count no longer than that.
type headcount struct {
	// Set by init.
	k    *Control
	wake chan struct{}

	number uint64 // of the latest script; owned by reportUntilClosed

	mu    sync.Mutex
	all   map[string]int      // connections by user; nil: nothing is counted
	dirty map[string]struct{} // users whose count must be reported
	reset bool                // the next report must replace all earlier ones
}

func (h *headcount) init(k *Control) { h.k, h.wake = k, make(chan struct{}, 1) }

// Elsewhere returns how many connections of a user the other nodes have.
func (k *Control) Elsewhere(ctx context.Context, user string) (int, error) {
	n := k.c.names
	result, err := k.c.batch.do(ctx, &call{
		script: countElsewhereScript, keys: []string{n.nodes()}, args: []any{k.c.node, n.users(""), user},
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

// Here sets how many connections of a user this node has.
func (k *Control) Here(user string, n int) {
	h := &k.counts
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
	h.wakeReporter()
}

// Count starts counting with the connections that this node has. With nil it stops counting.
func (k *Control) Count(all map[string]int) {
	h := &k.counts
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = all
	h.resendAll()
	h.wakeReporter()
}

// resendAll queues all users and resets what was reported before. Needs mu.
func (h *headcount) resendAll() {
	h.reset, h.dirty = true, make(map[string]struct{}, len(h.all))
	for user := range h.all {
		h.dirty[user] = struct{}{}
	}
}

func (h *headcount) wakeReporter() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// reportUntilClosed reports changes and renews the lease until the control is closed.
func (h *headcount) reportUntilClosed() {
	var b backoff
	for h.k.ctx.Err() == nil {
		on, more, err := h.report()
		switch {
		case err != nil:
			_ = pause(h.k.ctx, b.next()) // the loop checks whether the control is closed
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
	h.withdraw()
}

// report reports the changed users. Without any it only renews the lease. more is true if there
// are more than one script reports.
func (h *headcount) report() (on, more bool, err error) {
	t := h.nextReport()
	if t == nil {
		return false, false, nil
	}
	n := h.k.c.names
	h.number++
	t.args[1] = h.number
	result, err := h.k.c.batch.do(h.k.ctx, &call{
		script: reportCountsScript, keys: []string{n.nodes(), n.users(h.k.c.node)}, args: t.args, repeatable: true,
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.all == nil:
	case err != nil:
		h.reset = h.reset || t.reset
		for _, user := range t.users {
			h.dirty[user] = struct{}{}
		}
	case result != int64(1):
		h.resendAll()
	}
	return true, len(h.dirty) > 0, err
}

// countReport is what one script reports.
type countReport struct {
	reset bool
	users []string
	args  []any
}

// nextReport removes the next changes from the queue. It returns nil when nothing is counted.
func (h *headcount) nextReport() *countReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		return nil
	}
	t := &countReport{reset: h.reset, args: []any{h.k.c.node, nil, h.k.c.o.Lease.Milliseconds(), 0}}
	if h.reset {
		t.args[3] = 1
	}
	h.reset = false
	for user := range h.dirty {
		if len(t.users) == maxReported {
			break
		}
		delete(h.dirty, user)
		t.users = append(t.users, user)
		t.args = append(t.args, user, h.all[user])
	}
	return t
}

// withdraw removes this node's counts from Redis, if Redis can be reached.
func (h *headcount) withdraw() {
	ctx, cancel := context.WithTimeout(context.Background(), h.k.c.o.Timeout)
	defer cancel()
	n := h.k.c.names
	if h.number > 0 {
		_, _ = h.k.c.batch.do(ctx, &call{args: []any{"zrem", n.nodes(), h.k.c.node}})
	}
}
