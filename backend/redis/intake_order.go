package redis

import (
	"slices"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// What each node does with its own connections keeps its place among what one node does for all: a client that
// is told something and then disconnected is told first. So when the leader has published frames and comes to
// one about connections, or to the end of a batch, it publishes a notice with the name of the last frame, on
// the channel of the marks. Redis delivers the notice behind what the frames have become. On this notice each
// node does what stands behind those frames. The leader waits for its own notice before it goes on.
//
// The other nodes do not answer. So what the leader publishes after a frame about connections may be quicker
// than another node with that frame: answers would make one slow node the pace of all.

const (
	// intakeWait is how long a node waits for the notice about a frame: the leader may be dead.
	intakeWait = 2 * time.Second
	// intakeNotice begins a notice. No mark begins like that.
	intakeNotice = "done "
)

// takeNotice takes what was published on the channel of the marks. It reports whether it was a notice. Needs mu.
func (in *Intake) takeNotice(text string) bool {
	name, is := strings.CutPrefix(text, intakeNotice)
	if is {
		in.noticed = append(in.noticed, name)
		in.wakeUp()
	}
	return is
}

// noteDone marks the frames that are done by notices.
func (in *Intake) noteDone(noticed []string) {
	for _, name := range noticed {
		if name == in.unsettled {
			in.unsettled = ""
		}
		at := slices.IndexFunc(in.kept, func(f keptFrame) bool { return f.name == name })
		for i := range in.kept[:at+1] {
			in.kept[i].done = true
		}
	}
}

// carryOut does what stands behind frames that are done, or for which this node waits no longer.
func (in *Intake) carryOut() {
	if in.unsettled != "" && in.leads.Load() {
		return // deliver waits for the notice
	}
	for i := range in.kept {
		f := &in.kept[i]
		in.runHere(f)
		if f.all != nil && !f.done && time.Since(f.at) < intakeWait {
			return
		}
	}
}

// runHere does what a frame says about the connections of this node, once.
func (in *Intake) runHere(f *keptFrame) {
	if here := f.here; here != nil {
		f.here = nil
		guard.Run(in.log, "what another program has published", func() { here(in.c.ctx) })
	}
}

// notice publishes that frames were published up to the latest one, if there are any since the last notice.
func (in *Intake) notice() {
	if in.unsettled == "" || in.unsettled == in.told {
		return
	}
	in.told = in.unsettled
	_, _ = in.c.batch.do(in.c.ctx, &call{args: []any{"publish", in.c.names.intakeMark(), intakeNotice + in.told}}) // others wait for intakeWait then
}

// settle waits until this node has received what it has published, a moment at most.
func (in *Intake) settle() {
	in.notice()
	late := time.NewTimer(intakeWait)
	defer late.Stop()
	for in.unsettled != "" && !in.isNoticed(in.unsettled) {
		select {
		case <-in.wake:
			continue
		case <-late.C:
		case <-in.ctx.Done():
		}
		break
	}
	in.unsettled = ""
	in.wakeUp() // there may be more than notices
}

func (in *Intake) isNoticed(name string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Contains(in.noticed, name)
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
	in.notice()
}
