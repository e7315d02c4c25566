package redis

import (
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

// deliverBatch publishes the frames of a batch that this node has claimed, and does in between what stands
// there about connections. mine says for each frame whether it is this node's.
func (in *Intake) deliverBatch(batch []keptFrame, mine []any) {
	for i := range batch {
		f := &batch[i]
		in.keptBytes -= f.size
		if f.here != nil {
			in.settle()
			in.runHere(f)
		}
		if f.all != nil && i < len(mine) && mine[i] == int64(1) && !in.overdue() {
			guard.Run(in.log, "what another program has published", func() { f.all(in.c.ctx) })
			in.unsettled = f.name
		}
	}
}
