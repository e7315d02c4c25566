package redis

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// maxHolds is how many changes one script reports.
const maxHolds = 500

// holds reports to Redis which connections and channels this node has. Changes are reported in
// order. While Redis is away they are compacted, see compact. When a report fails, the same report is sent again, so that Redis recognizes it. What a
// node has ends with its lease: the first node that notices records what ends by that.
type holds struct {
	// Set by init.
	q      *queue
	wake   chan struct{}
	ctx    context.Context // ends when the queue is closed
	cancel context.CancelFunc
	node   string

	// Owned by reportUntilClosed.
	number uint64  // of the latest report that Redis has accepted; it only grows
	known  bool    // Redis has a report of this node
	open   *report // whose outcome is unknown; nil: none

	mu      sync.Mutex
	on      bool
	types   string // wanted types, as the scripts have them
	all     map[string]hold
	changes []change // not reported, oldest first
	most    int      // changes that may wait before they are compacted
	left    int      // changes that the last compaction left
	lost    int      // changes that compactions removed; not reported
}

// hold is something that this node has.
type hold struct {
	user     string
	reported bool // Redis knows it
}

// change is the start or the end of a hold.
type change struct {
	name, user string
	has, quiet bool
	again      bool // Redis had it before, and has lost it
	reported   bool // of an end: Redis knows the start
}

// report is what one script reports.
type report struct {
	changes []change // the oldest that wait
	types   string
	lost    int
}

func (h *holds) init(q *queue) {
	h.q, h.wake, h.node, h.all = q, make(chan struct{}, 1), nodeName(), make(map[string]hold)
	h.ctx, h.cancel = context.WithCancel(q.c.ctx)
}

var (
	connectionTypes = map[notify.Type]string{notify.Connected: "c", notify.Disconnected: "d"}
	channelTypes    = map[notify.Type]string{notify.Occupied: "o", notify.Vacated: "v"}
)

// choose sets what is reported. What is not chosen any more ends without an event.
func (h *holds) choose(c *notify.Choice, most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.most, h.types = max(most, fewestCompacted), ""
	kinds := ""
	for kind, types := range map[string]map[notify.Type]string{"c": connectionTypes, "r": channelTypes} {
		for t, letter := range types {
			if c.Any(t) {
				h.types += letter
				kinds += kind
			}
		}
	}
	h.on = h.types != ""
	for name, held := range h.all {
		if !strings.Contains(kinds, name[:1]) {
			delete(h.all, name)
			h.changes = append(h.changes, change{name: name, user: held.user, quiet: true, reported: held.reported})
		}
	}
	h.wakeReporter()
}

func (h *holds) have(name string, has bool, user string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	chosen := strings.ContainsAny(h.types, "cd")
	if name[0] == 'r' {
		chosen = strings.ContainsAny(h.types, "ov")
	}
	held, had := h.all[name]
	if !chosen || had == has {
		return
	}
	name, user = strings.Clone(name), strings.Clone(user)
	choice := h.q.chosen.Load().choice
	quiet := name[0] == 'r' && !choice.Wants(notify.Occupied, name[1:]) && !choice.Wants(notify.Vacated, name[1:])
	if has {
		h.all[name] = hold{user: user}
	} else {
		delete(h.all, name)
	}
	h.changes = append(h.changes, change{name: name, user: user, has: has, quiet: quiet, reported: !has && held.reported})
	if len(h.changes) > h.compactAt() {
		h.compact()
	}
	h.wakeReporter()
}

func (h *holds) wakeReporter() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// reportUntilClosed reports changes, renews the lease and looks for dead nodes.
func (h *holds) reportUntilClosed() {
	var b backoff
	for h.ctx.Err() == nil {
		on, err := h.report(h.ctx)
		if err == nil && on {
			err = h.reap(h.ctx)
		}
		if err != nil {
			_ = pause(h.ctx, b.next())
			continue
		}
		b.reset()
		third := h.q.c.o.Lease / 3
		timer := time.NewTimer(third/2 + rand.N(third/2))
		if !on {
			timer.Stop()
		}
		select {
		case <-h.wake:
		case <-timer.C:
		case <-h.ctx.Done():
		}
		timer.Stop()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), h.q.c.o.Timeout)
	defer cancel()
	if _, err := h.report(ctx); err == nil && h.known {
		h.mu.Lock()
		empty := len(h.all) == 0
		h.mu.Unlock()
		if empty { // otherwise another node ends what is left, after the lease
			_, _ = h.q.c.batch.do(ctx, &call{args: []any{"zrem", h.q.c.names.outboxNodes(), h.node}})
		}
	}
}

// report sends all changes that wait. Without any it renews the lease. It returns false if there is
// nothing to report at all.
func (h *holds) report(ctx context.Context) (on bool, err error) {
	for {
		var due bool
		if on, due = h.nextReport(); !due {
			return on, nil
		}
		result, err := h.send(ctx, h.open)
		if err != nil {
			return on, err
		}
		if result < 1 {
			h.reportAll(result == -1)
			continue
		}
		if more := h.accepted(); !more {
			return on, nil
		}
	}
}

// nextReport opens the next report, unless one is open: Redis may have executed that one, and
// recognizes only the same one. due is false if there is nothing to report.
func (h *holds) nextReport() (on, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil && (h.on || len(h.changes) > 0 || h.lost > 0) {
		n := min(len(h.changes), maxHolds)
		h.open = &report{h.changes[:n:n], h.types, h.lost}
	}
	return h.on, h.open != nil
}

// accepted notes that Redis has executed the open report. It returns whether changes wait.
func (h *holds) accepted() (more bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, c := range h.open.changes {
		held, has := h.all[c.name]
		switch {
		case !c.has:
		case has:
			held.reported = true
			h.all[c.name] = held
		default:
			h.noteReported(c.name, i+1)
		}
	}
	h.changes = h.changes[len(h.open.changes):]
	h.lost -= h.open.lost
	h.left = min(h.left, len(h.changes))
	h.open, h.known = nil, true
	h.number++
	return len(h.changes) > 0
}

// noteReported notes with the end of a hold that Redis knows its start. The end is one of the
// changes from an index on. Needs mu.
func (h *holds) noteReported(name string, from int) {
	for i := from; i < len(h.changes); i++ {
		if h.changes[i].name == name {
			h.changes[i].reported = true
			return
		}
	}
}

func (h *holds) send(ctx context.Context, r *report) (int64, error) {
	n := h.q.c.names
	c := &call{
		script: holdScript, repeatable: true,
		keys: []string{n.outboxNodes(), n.outboxHas(h.node), n.outboxReaped()},
		args: []any{n.outboxIn(""), h.node, h.number + 1, h.q.c.o.Lease.Milliseconds(), flag(!h.known), r.types, r.lost},
	}
	for _, one := range r.changes {
		c.args = append(c.args, flag(one.has), flag(one.quiet), one.name, one.user)
	}
	result, err := h.q.c.batch.do(ctx, h.q.recordCall(c))
	if err != nil {
		return 0, err
	}
	code, ok := result.(int64)
	if !ok {
		return 0, unexpected(result)
	}
	return code, nil
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// reportAll queues everything that Redis should have of this node, before the changes that wait.
// If Redis has lost that, the app knows of it already. If other nodes have reaped this one, they
// have recorded the end of it: what is still there starts anew.
func (h *holds) reportAll(reaped bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []change
	for name, held := range h.all {
		if held.reported {
			all = append(all, change{name: name, user: held.user, has: true, quiet: !reaped, again: true})
		}
	}
	for _, c := range h.changes {
		if !c.has && c.reported && !reaped {
			all = append(all, change{name: c.name, user: c.user, has: true, quiet: true, again: true})
		}
	}
	h.changes = append(all, h.changes...)
	h.known, h.open = false, nil
}

// maxHoldsReaped is how much of what a dead node had one script ends.
const maxHoldsReaped = 200

// reap ends what dead nodes had.
func (h *holds) reap(ctx context.Context) error {
	for {
		n := h.q.c.names
		h.mu.Lock()
		types := h.types
		h.mu.Unlock()
		result, err := h.q.c.batch.do(ctx, h.q.recordCall(&call{
			script: reapHoldsScript, repeatable: true, keys: []string{n.outboxNodes(), n.outboxReaped()},
			args: []any{n.outboxIn(""), n.outboxHas(""), types, maxHoldsReaped, h.q.c.o.Lease.Milliseconds(), keepOrders.Milliseconds()},
		}))
		if err != nil || result != int64(1) {
			return err
		}
	}
}
