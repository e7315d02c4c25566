package redis

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// repairPage is how many messages a repair reads at once.
const repairPage = 500

// startRepair starts a goroutine that fills the hole behind the room's position. Needs mu.
func (r *room) startRepair() {
	if r.repairing || r.stopped {
		return
	}
	r.repairing = true
	r.b.repairs.Add(1)
	r.b.c.runLoop(&r.b.wg, "the repair of a room", r.repairLoop)
}

// repairLoop reads until nothing is missing.
func (r *room) repairLoop() {
	for failures := 0; r.b.ctx.Err() == nil; {
		done, err := false, errPanicked
		guard.Run(r.b.c.log, "the repair of a room", func() { done, err = r.repairOnce() })
		if err != nil {
			failures++
			limit := min(50*time.Millisecond<<min(failures, 5), time.Second)
			if !r.b.c.pause(limit/2 + rand.N(limit)) {
				return
			}
			continue
		}
		failures = 0
		if done {
			return
		}
	}
}

// repairOnce reads one page behind the room's position and delivers it.
func (r *room) repairOnce() (done bool, err error) {
	select {
	case r.b.repairSlots <- struct{}{}:
		defer func() { <-r.b.repairSlots }()
	case <-r.b.ctx.Done():
		return false, hub.ErrClosed
	}
	at, keep, held := r.repairFrom()
	if keep.Size == 0 {
		return r.endRepairWithoutHistory(), nil
	}
	page, err := r.b.readPage(r.b.ctx, r.channel, keep, hub.HistoryQuery{Since: &at, Limit: repairPage})
	if err != nil {
		return false, err
	}
	if page.Lost && logRewritten(at, page) {
		return false, r.b.renewEpoch(r.b.ctx, r.channel, at.Epoch)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == at && page.Top.Epoch != at.Epoch {
		r.startEpoch(page.Top)
		return r.releaseHeld(0), nil
	}
	if r.at == at { // otherwise the log was dropped meanwhile
		r.deliverPage(page)
	}
	if page.More {
		return false, nil
	}
	// The page has all messages that arrived before it was read. If it lacks one, the log does
	// not have it any more, and no client here may see it.
	return r.releaseHeld(held), nil
}

// repairFrom returns the position behind which to read, and how many messages are held now.
func (r *room) repairFrom() (at hub.Position, keep hub.Retention, held int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overflow = false
	return r.at, r.retention, len(r.held)
}

// deliverPage delivers what was read. If the log has nothing to deliver, the room continues at
// the top of the log. Needs mu.
func (r *room) deliverPage(page hub.HistoryPage) {
	if page.Lost && len(page.Messages) == 0 {
		r.skip(page.Top)
		return
	}
	if page.Lost {
		r.b.lostHoles.Add(1)
	}
	r.b.repaired.Add(uint64(len(page.Messages)))
	r.deliver(page.Messages...)
}

// startEpoch continues in another epoch, at the first message of it that arrived, or else at
// the top of the log. Messages before that may have been delivered in the old epoch. Needs mu.
func (r *room) startEpoch(top hub.Position) {
	held := r.held
	r.held = nil
	for i, m := range held {
		if p := m.Position; p.Epoch == top.Epoch {
			top = hub.Position{Epoch: p.Epoch, Offset: p.Offset - 1}
			r.held = held[i:]
			break
		}
	}
	r.skip(top)
}

// endRepairWithoutHistory ends a repair because the room has no history any more.
func (r *room) endRepairWithoutHistory() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.overflow = hub.Position{}, false
	return r.releaseHeld(0)
}

// releaseHeld drops the first n held messages and delivers the others in order. It returns
// false if there is another hole. Needs mu.
func (r *room) releaseHeld(n int) bool {
	held := r.held[n:]
	r.held = nil
	for i, m := range held {
		switch next, known := r.classify(m); {
		case known:
		case next:
			r.deliver(m)
		default:
			r.held = held[i:]
			return false
		}
	}
	r.repairing = r.overflow
	return !r.overflow
}

// logRewritten reports whether Redis lost the part of the log at a position: the epoch is the
// same, and the log was not trimmed, but it no longer has what was there.
func logRewritten(at hub.Position, page hub.HistoryPage) bool {
	if at.Epoch != page.Top.Epoch || at.Offset == 0 {
		return false
	}
	return wentBack(at, page.Top) || len(page.Messages) > 0 && page.Messages[0].Position.Offset <= at.Offset+1
}

// renewEpoch gives a room another epoch, because its log went back in time.
func (b *Broker) renewEpoch(ctx context.Context, channel, epoch string) error {
	_, err := b.run(ctx, &call{
		script: renewEpochScript, keys: []string{b.c.names.meta(channel)}, repeatable: true,
		args: []any{epoch, history.NewEpoch(), endedEpochTTL},
	})
	if err == nil {
		b.renewed.Add(1)
		b.c.log.Warn("a room's history went back in time and starts again", "channel", channel)
	}
	return err
}

// isRepairing reports whether a repair is running.
func (r *room) isRepairing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.repairing
}
