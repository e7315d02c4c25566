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

// compareQueue holds the rooms, or the followers of documents, whose position must be compared
// with Redis. Each is in it at most once.
type compareQueue[R comparable] struct {
	wake chan struct{}

	mu    sync.Mutex
	rooms map[R]struct{}
}

func (d *compareQueue[R]) init() {
	d.wake, d.rooms = make(chan struct{}, 1), make(map[R]struct{})
}

// add queues rooms. It does not block.
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

// next removes up to compareBatch rooms from the queue.
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

// run compares the queued rooms until ctx ends. Rooms whose comparison failed are queued again
// after a moment.
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

// queueIdleRooms queues the rooms in which nothing arrived for a while. No other message shows
// that the last one was lost.
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

// comparison is one comparison that waits for Redis.
type comparison struct {
	room  *room
	asked hub.Position // the position of the room when Redis was asked
	call  *call
}

// newComparison makes the call that reads the position in Redis.
func (r *room) newComparison() comparison {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.b.c.names
	_, meta := lifetimes(r.retention)
	known := "" // the epoch that the subscribers of a room without messages were told
	if r.at.Offset == 0 {
		known = r.at.Epoch
	}
	return comparison{r, r.at, &call{
		script: positionScript, repeatable: true, secretKey: n.secret(),
		keys: []string{n.meta(r.channel), n.secret()},
		args: []any{history.NewEpoch(), meta, known},
	}}
}

// compareRoom compares one room.
func (b *Broker) compareRoom(ctx context.Context, r *room) error {
	o := r.newComparison()
	result, err := b.run(ctx, o.call)
	if err != nil {
		return err
	}
	return o.apply(result)
}

// compareRooms compares rooms together and returns those whose comparison failed. It counts a
// room under repair as failed without a call: the repair will show the position, and the
// repairs of other rooms wait for Redis too.
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

// compare starts a repair if a message is missing here or in Redis. before was the position of
// the room when Redis was asked, top is what Redis answered.
func (r *room) compare(before, top hub.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped || r.repairing || r.retention.Size == 0:
	case r.at.IsZero() && r.logDropped && top.Offset > 0:
		r.at, r.logDropped = hub.Position{Epoch: top.Epoch}, false // all messages of the new log are missing
		r.startRepair()
	case r.at.IsZero():
		r.at, r.logDropped = top, false
	case r.at.Epoch == top.Epoch && r.at.Offset < top.Offset,
		r.at.Epoch == before.Epoch && (top.Epoch != before.Epoch || wentBack(before, top)):
		r.startRepair()
	}
}
