package redis

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// keptFrame is a frame that has something to do.
type keptFrame struct {
	name    string
	size    int
	at      time.Time
	here    func(context.Context) // what each node does; nil: nothing, or it is done
	all     func(context.Context) // what one node does; nil: nothing
	claimed bool                  // this node has claimed it
}

// takeUntilClosed takes the frames in their order.
func (in *Intake) takeUntilClosed() {
	tick := time.NewTicker(in.beat())
	defer tick.Stop()
	for in.ctx.Err() == nil {
		in.publishMark()
		in.takeArrived()
		in.carryOut()
		if len(in.kept) > 0 && in.leads.Load() || time.Since(in.renewed) >= in.beat() {
			in.deliver()
		}
		select {
		case <-in.wake:
		case <-tick.C:
		case <-in.ctx.Done():
		}
	}
	in.takeArrived()
	if n := len(in.kept); n > 0 && in.followed.IsZero() {
		in.log.Warn("this node ends before it has delivered all that other programs have published; another node delivers the rest, if there is one", "frames", n)
	}
}

// takeArrived keeps what is to be done about new frames.
func (in *Intake) takeArrived() {
	in.mu.Lock()
	arrived := in.arrived
	in.arrived, in.bytes = nil, 0
	in.mu.Unlock()
	for _, f := range arrived {
		k := keptFrame{name: f.name, size: len(f.channel) + len(f.payload), at: f.at}
		guard.Run(in.log, "what another program has published", func() { k.here, k.all = in.take(f.channel, f.payload) })
		if k.here != nil || k.all != nil {
			in.kept = append(in.kept, k)
			in.keptBytes += k.size
		}
	}
	in.dropKept()
	in.warnOfLost()
}

// warnOfLost logs how many frames are lost, at most once a minute. What is not logged now counts in the next line.
func (in *Intake) warnOfLost() {
	in.mu.Lock()
	lost := in.lost
	due := lost > 0 && time.Since(in.warned) > time.Minute
	if due {
		in.lost, in.warned = 0, time.Now()
	}
	in.mu.Unlock()
	if due {
		in.log.Warn("other programs publish more than this node can deliver; frames are lost", "frames", lost)
	}
}

// dropKept drops frames that another node has delivered, and those for which there is no space.
func (in *Intake) dropKept() {
	n := 0
	for ; n < len(in.kept); n++ {
		f := &in.kept[n]
		if !in.isOld(f) && len(in.kept)-n <= intakeFrames && in.keptBytes <= intakeBytes {
			break
		}
		in.runHere(f)
		if f.all != nil && (f.claimed || in.followed.IsZero()) {
			in.mu.Lock()
			in.lost++
			in.mu.Unlock()
		}
		in.keptBytes -= f.size
		*f = keptFrame{}
	}
	in.kept = in.kept[n:]
}

// isOld reports whether a node that does not lead drops a frame: another one leads and had time enough for it, or
// Redis does not answer for so long that claims of others may end. The node that leads drops nothing for its
// age, however long one frame has kept it busy.
func (in *Intake) isOld(f *keptFrame) bool {
	return !in.leads.Load() && (in.followed.Sub(f.at) > intakeKept*in.lease || time.Since(f.at) > intakeClaims/2)
}

// deliver leads, if no other node does, and delivers what is kept.
func (in *Intake) deliver() {
	n := 0
	for in.lead() && n < len(in.kept) && !in.overdue() && in.deliverFrame(&in.kept[n]) {
		in.keptBytes -= in.kept[n].size
		in.kept[n] = keptFrame{}
		n++
	}
	in.kept = in.kept[n:]
}

// overdue reports whether the intake was closed so long ago that what it has not claimed is left to others.
func (in *Intake) overdue() bool {
	if in.ctx.Err() == nil {
		return false
	}
	if in.closing.IsZero() {
		in.closing = time.Now()
	}
	return time.Since(in.closing) > intakeClosing
}

// lead reports whether this node leads. It renews the lease once a beat.
func (in *Intake) lead() bool {
	if time.Since(in.renewed) >= in.beat() {
		in.claim(nil)
	}
	return in.leads.Load()
}

// claim renews the lease, and claims a frame if it is not nil. It reports whether the frame is this node's. If another
// node leads, or Redis does not answer, the node leads no longer.
func (in *Intake) claim(f *keptFrame) (mine bool) {
	in.renewed = time.Now()                             // the lease ends no earlier than counted from here
	answers, err := in.callClaim(in.c.ctx, in.lease, f) // what is claimed is delivered, also when the intake is closed
	in.leads.Store(err == nil && answers != nil)
	if err != nil {
		return false
	}
	in.followed = time.Time{}
	if answers == nil {
		in.followed = in.renewed
	}
	mine = f != nil && len(answers) == 1 && answers[0] == int64(1)
	if mine {
		f.claimed = true
	}
	return mine
}

// callClaim runs the script. It returns nil if another node leads.
func (in *Intake) callClaim(ctx context.Context, lease time.Duration, f *keptFrame) ([]any, error) {
	c := &call{
		script: intakeClaimScript, repeatable: true, keys: []string{in.c.names.intakeLeader()},
		args: []any{in.c.node, lease.Milliseconds(), intakeClaims.Milliseconds()},
	}
	if f != nil {
		c.keys = append(c.keys, in.c.names.intakeClaim(f.name))
	}
	result, err := in.c.batch.do(ctx, c)
	if err != nil || result == nil {
		return nil, err
	}
	answers, ok := result.([]any)
	if !ok {
		return nil, unexpected(result)
	}
	return answers, nil
}
