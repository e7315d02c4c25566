package redis

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// compareBatch is how many rooms are compared at once.
const compareBatch = 256

// due are the rooms, of one kind or another, whose position is to be compared with that
// of Redis.
type compareQueue[R comparable] struct {
	wake chan struct{}

	mu    sync.Mutex
	rooms map[R]struct{}
}

func (d *compareQueue[R]) init() {
	d.wake, d.rooms = make(chan struct{}, 1), make(map[R]struct{})
}

// add does not block.
func (d *compareQueue[R]) add(rs ...R) {
	d.mu.Lock()
	for _, r := range rs {
		d.rooms[r] = struct{}{}
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// take gives up to compareBatch rooms.
func (d *compareQueue[R]) next() (rs []R) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for r := range d.rooms {
		if len(rs) == compareBatch {
			break
		}
		rs = append(rs, r)
		delete(d.rooms, r)
	}
	return rs
}

// work compares the rooms that are due, until ctx is over. Those with which it failed
// are due again after a moment.
func (d *compareQueue[R]) run(ctx context.Context, compare func([]R) (failed []R)) {
	for {
		select {
		case <-d.wake:
		case <-ctx.Done():
			return
		}
		for rs := d.next(); len(rs) > 0; rs = d.next() {
			failed := compare(rs)
			if len(failed) > 0 {
				d.add(failed...)
				if pause(ctx, 50*time.Millisecond+rand.N(100*time.Millisecond)) != nil {
					return
				}
			}
		}
	}
}

// compareIdle has the rooms compared in which nothing came for a while: the loss of
// the last message shows in no other way.
func (b *Broker) queueIdleRooms() {
	every := b.c.o.Check
	for pause(b.ctx, every*3/4+rand.N(every/2)) == nil {
		b.c.link.eachHandler(func(h handler) {
			if r, ok := h.(*room); ok && r.b == b && r.takeIdle() {
				b.toCompare.add(r)
			}
		})
	}
}

// observation is a comparison on its way.
type comparison struct {
	room  *room
	asked hub.Position // of the room, when it was asked
	call  *call
}

// ask makes the call that reads where Redis is.
func (r *room) newComparison() comparison {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.b.c.names
	_, meta := lifetimes(r.retention)
	known := "" // what the subscribers of a room without messages were told
	if r.at.Offset == 0 {
		known = r.at.Epoch
	}
	return comparison{r, r.at, &call{
		script: positionScript, repeatable: true, secretKey: n.secret(),
		keys: []string{n.meta(r.channel), n.secret()},
		args: []any{history.NewEpoch(), meta, known},
	}}
}

// observe compares one room.
func (b *Broker) compareRoom(ctx context.Context, r *room) error {
	o := r.newComparison()
	result, err := b.run(ctx, o.call)
	if err != nil {
		return err
	}
	return o.apply(result)
}

// observeAll compares rooms together and returns those with which it failed. A room that
// is being repaired is not asked for now: where it is will be known afterwards, and the
// repairs of many others wait for Redis as well.
func (b *Broker) compareRooms(rs []*room) (failed []*room) {
	all := make([]comparison, 0, len(rs))
	for _, r := range rs {
		if r.isRepairing() {
			failed = append(failed, r)
			continue
		}
		o := r.newComparison()
		b.c.batch.submit(o.call)
		all = append(all, o)
	}
	for _, o := range all {
		<-o.call.done
		if o.call.err != nil || o.apply(o.call.result) != nil {
			failed = append(failed, o.room)
		}
	}
	return failed
}

func (o comparison) apply(result any) error {
	s, _ := result.(string)
	top, err := parsePosition(s)
	if err != nil {
		return unexpected(result)
	}
	o.room.compare(o.asked, top)
	return nil
}

// compare has the room repaired if Redis, asked when the room was at before, says
// that something is missing here or there.
func (r *room) compare(before, top hub.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped || r.repairing || r.retention.Size == 0:
	case r.at.IsZero() && r.logDropped && top.Offset > 0:
		r.at, r.logDropped = hub.Position{Epoch: top.Epoch}, false // all of the new log is missing
		r.startRepair()
	case r.at.IsZero():
		r.at, r.logDropped = top, false
	case r.at.Epoch == top.Epoch && r.at.Offset < top.Offset,
		r.at.Epoch == before.Epoch && (top.Epoch != before.Epoch || wentBack(before, top)):
		r.startRepair()
	}
}
