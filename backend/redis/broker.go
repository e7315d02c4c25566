package redis

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
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

	serial atomic.Uint64 // of this node's messages without position
	alone  alone         // those that were delivered on this node without Redis
	plain  forgotten     // rooms without history that have no log
	due    due[*room]    // those whose position is to be compared

	repairs, repaired, lostHoles, renewed atomic.Uint64

	repairing chan struct{} // a place for each repair that reads

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
func (c *shard) broker(sink hub.Sink) *Broker {
	b := &Broker{c: c, sink: sink, repairing: make(chan struct{}, maxRepairs)}
	b.ctx, b.cancel = context.WithCancel(c.ctx)
	b.due.init()
	c.keep(&b.wg, "the comparison of rooms", func() { b.due.work(b.ctx, b.observeAll) })
	c.keep(&b.wg, "the comparison of idle rooms", b.compareIdle)
	return b
}

// open reports why a call can not begin.
func (b *Broker) open(ctx context.Context) error {
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

// Publish implements [hub.Broker]. Without a key, a publish that fails with
// [hub.ErrUnavailable] may have been executed all the same; with one it was already
// repeated.
func (b *Broker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if err := b.open(ctx); err != nil {
		return hub.Published{}, err
	}
	switch {
	case m.Direct != nil:
		return b.publishDirect(ctx, m, o.Key)
	case o.Retention.Size <= 0:
		return b.publishPlain(ctx, m, o)
	}
	n := b.c.names
	c := &call{
		script: publishScript,
		keys:   []string{n.meta(m.Channel), n.stream(m.Channel), n.secret()},
		again:  o.Key != "",
		secret: n.secret(),
	}
	stream, meta := lifetimes(o.Retention)
	c.args = []any{
		appendMessage(make([]byte, 0, 32+len(m.Event)+len(m.Sender)+len(m.Content)), m),
		strconv.FormatUint(uint64(m.Position.Anchor), 10),
		o.Retention.Size + 1, stream, meta, n.topic(m.Channel), history.NewEpoch(), b.refreshed(m.Channel, o.Retention),
	}
	if o.Key != "" {
		c.keys = append(c.keys, n.keys(m.Channel)...)
		c.args = append(c.args, o.Key, b.c.o.KeyWindow.Milliseconds(), b.c.o.RoomKeys, b.c.o.Keys)
	}
	b.plain.remove(m.Channel)
	result, err := b.run(ctx, c)
	if err != nil {
		return hub.Published{}, err
	}
	p, err := parsePublished(m, result)
	if err == nil && !p.Duplicate {
		m.Position = p.Position
	}
	return p, err
}

func parsePublished(m *hub.Message, result any) (p hub.Published, err error) {
	reply, ok := result.([]any)
	if !ok || len(reply) != 2 && len(reply) != 3 {
		return p, unexpected(result)
	}
	position, _ := reply[1].(string)
	if len(reply) == 3 {
		return repeated(m, position, reply[2])
	}
	if p.Position, err = parsePosition(position); err != nil {
		return p, unexpected(result)
	}
	return p, nil
}

// unexpected is the error for a reply that no script of this package gives.
func unexpected(result any) error {
	return fmt.Errorf("%w: redis: unexpected reply %.80v", hub.ErrUnavailable, result)
}

// lifetimes are how long, in milliseconds, Redis keeps a room's stream and the rest.
// Both are longer than they need be by a tenth, so that not every publish has to say
// them anew.
func lifetimes(keep hub.Retention) (stream, meta int64) {
	long := max(24*time.Hour, 10*keep.TTL)
	if keep.TTL > 0 {
		stream = max(1, (keep.TTL + keep.TTL/10).Milliseconds())
	} else {
		stream = (long + long/10).Milliseconds()
	}
	return stream, (long + long/10).Milliseconds()
}

// refreshed gives 1 if this node told Redis the lifetimes of the room a short while ago.
func (b *Broker) refreshed(channel string, keep hub.Retention) int {
	if r := b.find(channel); r != nil && !r.refresh(time.Now(), keep) {
		return 1
	}
	return 0
}

// outlasting is how long, in milliseconds, the epoch of a log is kept that ended or was
// lost: longer than the day in which scripts would give the room its old epoch.
const outlasting = 26 * 60 * 60 * 1000

// find returns the room of a channel that is attached here, or was just now.
func (b *Broker) find(channel string) *room {
	r, _ := b.c.link.find(b.c.names.topic(channel)).(*room)
	return r
}

// Attach implements [hub.Broker]. While Redis is away it succeeds, and the room is
// brought in step later.
func (b *Broker) Attach(ctx context.Context, channel string, keep hub.Retention) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	name := b.c.names.topic(channel)
	t, err := b.c.link.acquire(name, func() handler { return newRoom(b, channel) })
	if err != nil {
		return err
	}
	r := t.handler.(*room)
	r.keep(keep)
	if keep.Size > 0 {
		b.plain.remove(channel)
	}
	if _, err = b.c.link.await(ctx, t); err == nil && keep.Size > 0 && !r.placed() {
		// After the confirmation, so that nothing falls between. If it fails, the room
		// is compared until it succeeds.
		if err = b.observe(ctx, r); err != nil && ctx.Err() == nil && b.ctx.Err() == nil {
			b.due.add(r)
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
	b.c.link.each(func(h handler) {
		if r, ok := h.(*room); ok && r.b == b {
			r.end()
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
