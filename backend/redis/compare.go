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
type due[R comparable] struct {
	wake chan struct{}

	mu    sync.Mutex
	rooms map[R]struct{}
}

func (d *due[R]) init() {
	d.wake, d.rooms = make(chan struct{}, 1), make(map[R]struct{})
}

// add does not block.
func (d *due[R]) add(rs ...R) {
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
func (d *due[R]) take() (rs []R) {
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
func (d *due[R]) work(ctx context.Context, compare func([]R) (failed []R)) {
	for {
		select {
		case <-d.wake:
		case <-ctx.Done():
			return
		}
		for rs := d.take(); len(rs) > 0; rs = d.take() {
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
func (b *Broker) compareIdle() {
	every := b.c.o.Check
	for pause(b.ctx, every*3/4+rand.N(every/2)) == nil {
		b.c.link.each(func(h handler) {
			if r, ok := h.(*room); ok && r.b == b && r.idle() {
				b.due.add(r)
			}
		})
	}
}

// observation is a comparison on its way.
type observation struct {
	room   *room
	before hub.Position // of the room, when it was asked
	call   *call
}

// ask makes the call that reads where Redis is.
func (r *room) ask() observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.b.c.names
	_, meta := lifetimes(r.retention)
	known := "" // what the subscribers of a room without messages were told
	if r.at.Offset == 0 {
		known = r.at.Epoch
	}
	return observation{r, r.at, &call{
		script: positionScript, again: true, secret: n.secret(),
		keys: []string{n.meta(r.channel), n.secret()},
		args: []any{history.NewEpoch(), meta, known},
	}}
}

// observe compares one room.
func (b *Broker) observe(ctx context.Context, r *room) error {
	o := r.ask()
	result, err := b.run(ctx, o.call)
	if err != nil {
		return err
	}
	return o.end(result)
}

// observeAll compares rooms together and returns those with which it failed. A room that
// is being repaired is not asked for now: where it is will be known afterwards, and the
// repairs of many others wait for Redis as well.
func (b *Broker) observeAll(rs []*room) (failed []*room) {
	all := make([]observation, 0, len(rs))
	for _, r := range rs {
		if r.mending() {
			failed = append(failed, r)
			continue
		}
		o := r.ask()
		b.c.batch.submit(o.call)
		all = append(all, o)
	}
	for _, o := range all {
		<-o.call.done
		if o.call.err != nil || o.end(o.call.result) != nil {
			failed = append(failed, o.room)
		}
	}
	return failed
}

func (o observation) end(result any) error {
	s, _ := result.(string)
	top, err := parsePosition(s)
	if err != nil {
		return unexpected(result)
	}
	o.room.compare(o.before, top)
	return nil
}

// compare has the room repaired if Redis, asked when the room was at before, says
// that something is missing here or there.
func (r *room) compare(before, top hub.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over || r.repairing || r.retention.Size == 0:
	case r.at.IsZero() && r.dropped && top.Offset > 0:
		r.at, r.dropped = hub.Position{Epoch: top.Epoch}, false // all of the new log is missing
		r.repair()
	case r.at.IsZero():
		r.at, r.dropped = top, false
	case r.at.Epoch == top.Epoch && r.at.Offset < top.Offset,
		r.at.Epoch == before.Epoch && (top.Epoch != before.Epoch || wentBack(before, top)):
		r.repair()
	}
}
