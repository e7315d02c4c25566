package redis

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// skipper is an optional ability of a [hub.Sink]: it tells a room's connections at once that
// delivery goes on after a position. Without it the connections learn that with the next
// message.
type skipper interface {
	Skip(channel string, to hub.Position)
}

// Broker is a [hub.Broker] over one shard. Its methods are in four files: broker.go starts,
// attaches and closes, broker_publish.go publishes, broker_history.go reads, and compare.go
// compares positions.
type Broker struct {
	// Set by startBroker.
	c        *shard
	sink     hub.Sink
	dueSink  hub.DueSink  // sink, if it has the ability; else nil
	feedSink hub.FeedSink // likewise

	serial     atomic.Uint64       // number of the latest message without position of this node
	local      localDeliveries     // messages that this node delivered without Redis
	fed        localDeliveries     // likewise, of feeds
	withoutLog roomsWithoutLog     // rooms without history whose log is known to be gone
	toCompare  compareQueue[*room] // rooms whose position must be compared with Redis

	repairs, repaired, lostHoles, renewed atomic.Uint64

	repairSlots chan struct{} // one slot for each repair that reads

	mu     sync.RWMutex // only Close locks it for writing
	closed bool
	ctx    context.Context // ends when the broker is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var _ hub.Broker = (*Broker)(nil)

// maxRepairs is how many rooms are read at once. After a reconnect all rooms may have missed
// something.
const maxRepairs = 16

// startBroker starts a broker that delivers to sink.
func (c *shard) startBroker(sink hub.Sink) *Broker {
	b := &Broker{c: c, sink: sink, repairSlots: make(chan struct{}, maxRepairs)}
	b.dueSink, _ = sink.(hub.DueSink)
	b.feedSink, _ = sink.(hub.FeedSink)
	b.ctx, b.cancel = context.WithCancel(c.ctx)
	b.toCompare.init()
	c.runLoop(&b.wg, "the comparison of rooms", func() { b.toCompare.run(b.ctx, b.compareRooms) })
	c.runLoop(&b.wg, "the comparison of idle rooms", b.queueIdleRooms)
	return b
}

// checkOpen returns an error if ctx has ended or the broker is closed.
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

// run sends a call to Redis. Every call of the broker goes through it.
func (b *Broker) run(ctx context.Context, c *call) (any, error) {
	result, err := b.c.batch.do(ctx, c)
	if err != nil && b.ctx.Err() != nil && ctx.Err() == nil {
		return nil, hub.ErrClosed
	}
	return result, err
}

// findRoom returns the room of a channel that is attached here, or was attached until a moment
// ago. Otherwise it returns nil.
func (b *Broker) findRoom(channel string) *room {
	r, _ := b.c.link.findHandler(b.c.names.topic(channel)).(*room)
	return r
}

// Attach implements [hub.Broker]. It succeeds while Redis is away; the room is compared when
// Redis is back.
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
		// The position is read after the subscription is confirmed, so that no message is
		// missed in between. If the comparison fails, the queue repeats it until it succeeds.
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

// Close implements [hub.Broker]. When it returns, nothing is broadcast any more.
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

// Stats returns the current figures.
func (b *Broker) Stats() Stats {
	s := b.c.link.stats()
	s.Repairs, s.Repaired = b.repairs.Load(), b.repaired.Load()
	s.Lost, s.Renewed = b.lostHoles.Load(), b.renewed.Load()
	return s
}
