package redis

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// keptFrame is a frame that has something to do.
type keptFrame struct {
	name string
	size int
	at   time.Time
	here func(context.Context) // what each node does; nil: nothing, or it is done
	all  func(context.Context) // what one node does; nil: nothing
}

// takeUntilClosed takes the frames in their order.
func (in *Intake) takeUntilClosed() {
	tick := time.NewTicker(intakeBeat)
	defer tick.Stop()
	for in.ctx.Err() == nil {
		in.publishMark()
		in.takeArrived()
		in.carryOut()
		if len(in.kept) > 0 && in.leads.Load() || time.Since(in.renewed) >= intakeBeat {
			in.deliver()
		}
		select {
		case <-in.wake:
		case <-tick.C:
		case <-in.ctx.Done():
		}
	}
}

// takeArrived keeps what is to be done about new frames.
func (in *Intake) takeArrived() {
	in.mu.Lock()
	arrived, lost := in.arrived, in.lost
	in.arrived, in.bytes, in.lost = nil, 0, 0
	in.mu.Unlock()
	if lost > 0 && time.Since(in.warned) > time.Minute {
		in.warned = time.Now()
		in.log.Warn("other programs publish more than this node can deliver; frames are lost", "frames", lost)
	}
	for _, f := range arrived {
		k := keptFrame{name: f.name, size: len(f.channel) + len(f.payload), at: f.at}
		guard.Run(in.log, "what another program has published", func() { k.here, k.all = in.take(f.channel, f.payload) })
		if k.here != nil || k.all != nil {
			in.kept = append(in.kept, k)
			in.keptBytes += k.size
		}
	}
	in.dropOld()
}

// dropOld drops frames for which the leader had time enough, and those for which there is no space.
func (in *Intake) dropOld() {
	n := 0
	for n < len(in.kept) && (time.Since(in.kept[n].at) > intakeKept || len(in.kept)-n > intakeFrames || in.keptBytes > intakeBytes) {
		in.runHere(&in.kept[n])
		in.keptBytes -= in.kept[n].size
		in.kept[n] = keptFrame{}
		n++
	}
	in.kept = in.kept[n:]
}

// deliver leads, if no other node does, and delivers what is kept.
func (in *Intake) deliver() {
	for first := true; first || len(in.kept) > 0; first = false {
		batch := in.kept[:min(len(in.kept), intakeBatch)]
		mine, err := in.claim(in.c.ctx, intakeLease, batch) // what is claimed is delivered, also when the intake is closed
		in.renewed = time.Now()
		in.leads.Store(err == nil && mine != nil)
		if err != nil || mine == nil {
			return
		}
		in.deliverBatch(batch, mine)
		in.kept = in.kept[len(batch):]
	}
}

// overdue reports whether the intake was closed so long ago that what it has claimed is lost.
func (in *Intake) overdue() bool {
	if in.ctx.Err() == nil {
		return false
	}
	if in.closing.IsZero() {
		in.closing = time.Now()
	}
	return time.Since(in.closing) > intakeClosing
}

// claim leads for a while, and claims frames. It returns nil if another node leads.
func (in *Intake) claim(ctx context.Context, lease time.Duration, batch []keptFrame) ([]any, error) {
	c := &call{
		script: intakeClaimScript, repeatable: true, keys: []string{in.c.names.intakeLeader()},
		args: []any{in.c.node, lease.Milliseconds(), intakeClaims.Milliseconds()},
	}
	for _, f := range batch {
		c.keys = append(c.keys, in.c.names.intakeClaim(f.name))
	}
	result, err := in.c.batch.do(ctx, c)
	if err != nil || result == nil {
		return nil, err
	}
	mine, ok := result.([]any)
	if !ok {
		return nil, unexpected(result)
	}
	return mine, nil
}
