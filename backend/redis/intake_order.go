package redis

import (
	"context"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// What each node does with its own connections keeps its place among what one node does for all, on the node
// that leads: a client that is told something and then disconnected is told first. Before the leader does what
// a frame says about connections, it publishes a notice on the channel of the marks. Redis delivers the notice
// behind what the frames before have become, and the leader waits for it.
//
// The other nodes do not wait, and nobody waits for them: with an order of all nodes the slowest one would set the
// pace. So on the other nodes, what concerns connections may overtake what was published before.

const (
	// intakeWait is how long the leader waits for its notice.
	intakeWait = 2 * time.Second
	// intakeNotice begins a notice. No mark begins like that.
	intakeNotice = "done "
)

// takeNotice takes what was published on the channel of the marks. It reports whether it was a notice. Needs mu.
func (in *Intake) takeNotice(text string) bool {
	name, is := strings.CutPrefix(text, intakeNotice)
	if is {
		in.noticed = name
		in.wakeUp()
	}
	return is
}

// carryOut does what frames say about the connections of this node, if the node does not lead.
func (in *Intake) carryOut() {
	if in.leads.Load() {
		return // deliver keeps the order
	}
	for i := range in.kept {
		in.runHere(&in.kept[i])
	}
}

// runHere does what a frame says about the connections of this node, once.
func (in *Intake) runHere(f *keptFrame) {
	if here := f.here; here != nil {
		f.here = nil
		guard.Run(in.log, "what another program has published", func() { here(in.c.ctx) })
	}
}

// settle waits until this node has received what it has published, a moment at most.
func (in *Intake) settle() {
	name := in.unsettled
	if in.unsettled = ""; name == "" {
		return
	}
	_, err := in.c.batch.do(in.c.ctx, &call{args: []any{"publish", in.c.names.intakeMark(), intakeNotice + name}})
	late := time.NewTimer(intakeWait)
	defer late.Stop()
	for err == nil && !in.isNoticed(name) {
		select {
		case <-in.wake:
			continue
		case <-late.C:
		case <-in.ctx.Done():
		}
		break
	}
	in.wakeUp() // for what has arrived beside the notice
}

func (in *Intake) isNoticed(name string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.noticed == name
}

// deliverFrame does what a frame says about the connections of this node, and publishes it. It returns false if the
// frame stays: this node does not lead any more.
func (in *Intake) deliverFrame(f *keptFrame) bool {
	if f.here != nil {
		in.settle()
		in.runHere(f)
	}
	if f.all == nil {
		return true
	}
	mine := in.claim(f)
	end := in.renewed.Add(in.lease - in.lease/10)
	if !in.leads.Load() || !time.Now().Before(end) {
		return false
	}
	if mine {
		ctx, cancel := context.WithDeadline(in.c.ctx, end)
		defer cancel()
		guard.Run(in.log, "what another program has published", func() { f.all(ctx) })
		in.unsettled = f.name
	}
	return true
}
