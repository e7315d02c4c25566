package redis

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// skipper is an optional ability of a [hub.Sink]: to tell a room's connections at
// once that delivery goes on after a position. Without it they are told with the
// next message.
type skipper interface {
	Skip(channel string, to hub.Position)
}

// Broker is a [hub.Broker] over one shard.
type Broker struct {
	// Set when it is made.
	c    *shard
	sink hub.Sink

	serial     atomic.Uint64       // of this node's messages without position
	local      localDeliveries     // those that were delivered on this node without Redis
	withoutLog roomsWithoutLog     // rooms without history that have no log
	toCompare  compareQueue[*room] // those whose position is to be compared

	repairs, repaired, lostHoles, renewed atomic.Uint64

	repairSlots chan struct{} // a place for each repair that reads

	mu     sync.RWMutex // taken for writing by Close alone
	closed bool
	ctx    context.Context // over when the broker is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var _ hub.Broker = (*Broker)(nil)

// maxRepairs bounds the rooms that are read at once: after a reconnect all may have
// missed something.
const maxRepairs = 16

// broker starts a broker that delivers to sink.
func (c *shard) startBroker(sink hub.Sink) *Broker {
	b := &Broker{c: c, sink: sink, repairSlots: make(chan struct{}, maxRepairs)}
	b.ctx, b.cancel = context.WithCancel(c.ctx)
	b.toCompare.init()
	c.runLoop(&b.wg, "the comparison of rooms", func() { b.toCompare.run(b.ctx, b.compareRooms) })
	c.runLoop(&b.wg, "the comparison of idle rooms", b.queueIdleRooms)
	return b
}

// open reports why a call can not begin.
func (b *Broker) checkOpen(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return hub.ErrClosed
	}
	return nil
}

// run is what every call to Redis goes through.
func (b *Broker) run(ctx context.Context, c *call) (any, error) {
	result, err := b.c.batch.do(ctx, c)
	if err != nil && b.ctx.Err() != nil && ctx.Err() == nil {
		return nil, hub.ErrClosed
	}
	return result, err
}

// find returns the room of a channel that is attached here, or was just now.
func (b *Broker) findRoom(channel string) *room {
	r, _ := b.c.link.findHandler(b.c.names.topic(channel)).(*room)
	return r
}

// Attach implements [hub.Broker]. While Redis is away it succeeds, and the room is
// brought in step later.
func (b *Broker) Attach(ctx context.Context, channel string, keep hub.Retention) error {
	if err := b.checkOpen(ctx); err != nil {
		return err
	}
	name := b.c.names.topic(channel)
	t, err := b.c.link.acquire(name, func() handler { return newRoom(b, channel) })
	if err != nil {
		return err
	}
	r := t.handler.(*room)
	r.setRetention(keep)
	if keep.Size > 0 {
		b.withoutLog.remove(channel)
	}
	if _, err = b.c.link.awaitLive(ctx, t); err == nil && keep.Size > 0 && !r.hasPosition() {
		// After the confirmation, so that nothing falls between. If it fails, the room
		// is compared until it succeeds.
		if err = b.compareRoom(ctx, r); err != nil && ctx.Err() == nil && b.ctx.Err() == nil {
			b.toCompare.add(r)
			err = nil
		}
	}
	if err != nil {
		b.c.link.release(name)
	}
	return err
}

// Detach implements [hub.Broker].
func (b *Broker) Detach(channel string) { b.c.link.release(b.c.names.topic(channel)) }

// Close implements [hub.Broker]: nothing is broadcast any more when it returns.
func (b *Broker) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	b.cancel()
	b.wg.Wait()
	b.c.link.eachHandler(func(h handler) {
		if r, ok := h.(*room); ok && r.b == b {
			r.stop()
		}
	})
	return nil
}

// Stats gives the figures of this moment.
func (b *Broker) Stats() Stats {
	s := b.c.link.stats()
	s.Repairs, s.Repaired = b.repairs.Load(), b.repaired.Load()
	s.Lost, s.Renewed = b.lostHoles.Load(), b.renewed.Load()
	return s
}
