package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// shards is the number of tables that the rooms are spread over: enough that publishers of
// different rooms rarely meet. It is a power of two.
const shards = 128

// Broker is a [hub.Broker] for one node. [New] makes one.
type Broker struct {
	// Set by New.
	sink   hub.Sink
	feeds  hub.FeedSink // sink, if it has the ability; else nil
	o      Options
	born   time.Time // rooms count time from here, in less space than a time.Time
	seed   maphash.Seed
	shards [shards]shard

	limit   atomic.Int64 // Options.HistoryBytes, which Resize changes
	used    atomic.Int64 // bytes of all rooms, see room.bytes and shard.weight
	keyed   atomic.Int64 // those of them that are for keys, see room.keyed
	evicted atomic.Uint64
	reduced atomic.Uint64

	cleaning sync.Mutex // held while evicting or sweeping
	close    sync.Once
	closing  chan struct{}
	janitor  sync.WaitGroup
}

var (
	_ hub.Broker       = (*Broker)(nil)
	_ hub.PromptBroker = (*Broker)(nil)
)

// Prompt implements [hub.PromptBroker].
func (b *Broker) Prompt() bool { return true }

// New starts a broker that delivers to sink. Close ends it.
func New(sink hub.Sink, o Options) *Broker {
	b := &Broker{
		sink:    sink,
		o:       o.withDefaults(),
		born:    time.Now(),
		seed:    maphash.MakeSeed(),
		closing: make(chan struct{}),
	}
	b.feeds, _ = sink.(hub.FeedSink)
	secret := cmp.Or(b.o.Secret, rand.Text())
	for i := range b.shards {
		b.shards[i].init(&b.used, &b.keyed, secret)
		b.shards[i].durable = b.o.Durable
	}
	b.limit.Store(b.o.HistoryBytes)
	b.janitor.Go(func() { guard.Loop(b.closing, nil, "the expiry of histories", b.sweepUntilClosed) })
	return b
}

// Resize changes Options.HistoryBytes of a running broker; 0 means the default. What
// exceeds a smaller bound is removed with the next publish at the latest.
func (b *Broker) Resize(bytes int64) {
	b.limit.Store(Options{HistoryBytes: bytes}.withDefaults().HistoryBytes)
	b.bound()
}

// shard returns the shard that has the room of a channel.
func (b *Broker) shard(channel string) *shard {
	return &b.shards[maphash.String(b.seed, channel)&(shards-1)]
}

// Publish implements [hub.Broker]. It keeps the message by reference. It fails only if ctx
// is over, the broker is closed, or the key belongs to another message. Nothing was sent
// then. It does not change a message that is a repeat.
func (b *Broker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	if err := ctx.Err(); err != nil {
		return hub.Published{}, err
	}
	s := b.shard(m.Channel)
	if m.Direct != nil || m.Volatile {
		return b.publishUnplaced(s, m, o)
	}
	if o.Retention.Size <= 0 && o.Key == "" {
		return b.publishPlain(s, m, o.Feed)
	}
	now := time.Now()
	r, err := s.pin(m.Channel, now.Sub(b.born), true)
	if err != nil {
		return hub.Published{}, err
	}
	p, err := b.publishIn(r, now, m, o)
	b.bound()
	return p, err
}

// publishPlain sends a message that needs neither a position nor a key. It locks the room
// only if the room still has a log, from a time when its configuration had history.
func (b *Broker) publishPlain(s *shard, m *hub.Message, feed string) (hub.Published, error) {
	r, err := s.pinLogged(m.Channel)
	if err != nil {
		return hub.Published{}, err
	}
	if r != nil {
		return b.publishIn(r, time.Now(), m, hub.PublishOptions{Feed: feed})
	}
	m.Position = hub.Position{}
	b.o.Outbox.recordMessage(m)
	b.broadcast(m, feed)
	return hub.Published{}, nil
}

// publishIn publishes into a pinned room and unpins it.
func (b *Broker) publishIn(r *room, now time.Time, m *hub.Message, o hub.PublishOptions) (p hub.Published, err error) {
	defer r.unpin()
	digest := digestFor(o.Key, m)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(now, o.Retention)
	if s, ok := r.keys.find(now.Sub(b.born), o.Key, b.o.KeyWindow); ok {
		b.account(r)
		if s.digest != digest {
			return p, hub.ErrKeyReused
		}
		return hub.Published{Position: s.position(), Duplicate: true}, nil
	}
	p.Position = r.append(now, m)
	if o.Key != "" {
		r.remember(now.Sub(b.born), o.Key, p.Position, digest, b.o)
	}
	b.account(r)
	m.Position = p.Position
	b.o.Outbox.recordMessage(m)
	b.broadcast(m, o.Feed)
	return p, nil
}

// digestFor returns the digest of a message with a key. It is called before the room is
// locked, because it takes long for a large content.
func digestFor(key string, m *hub.Message) uint32 {
	if key == "" {
		return 0
	}
	return m.Digest()
}

// Attach implements [hub.Broker]. An Attach that fails is not counted.
func (b *Broker) Attach(ctx context.Context, channel string, r hub.Retention) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	rm, err := b.shard(channel).attach(channel, now.Sub(b.born))
	if err != nil {
		return err
	}
	// Without history there is nothing to make, and mostly nothing to drop.
	if r.Size > 0 || rm.log.Load() != nil {
		err = b.keep(rm, now, r)
	}
	rm.unpin()
	if err != nil {
		b.Detach(channel)
		return err
	}
	b.bound()
	return nil
}

// Detach implements [hub.Broker]. A sink may call it from within Broadcast.
func (b *Broker) Detach(channel string) {
	b.shard(channel).detach(channel, time.Since(b.born))
}

// History implements [hub.Broker]. Reading does not create a room.
func (b *Broker) History(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	if err := ctx.Err(); err != nil {
		return hub.HistoryPage{}, err
	}
	now := time.Now()
	s := b.shard(channel)
	rm, err := s.pin(channel, now.Sub(b.born), b.o.Durable != nil && r.Size > 0)
	switch {
	case err != nil:
		return hub.HistoryPage{}, err
	case rm == nil:
		return s.blank(channel, r, q), nil
	}
	defer rm.unpin()
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if err := b.load(rm, now); err != nil {
		return hub.HistoryPage{}, err
	}
	rm.keep(now, r)
	b.account(rm)
	return rm.page(q), nil
}

// Close implements [hub.Broker]. It ends the janitor and drops all rooms. Calls that are
// under way finish. Closing again does nothing.
func (b *Broker) Close() error {
	b.close.Do(func() {
		close(b.closing)
		b.janitor.Wait()
		for i := range b.shards {
			b.shards[i].shut()
		}
	})
	return nil
}

// blank answers a query about a room for which nothing is kept.
func (s *shard) blank(channel string, r hub.Retention, q hub.HistoryQuery) hub.HistoryPage {
	if r.Size <= 0 {
		return hub.HistoryPage{}
	}
	top := hub.Position{Epoch: s.epoch(channel)}
	return hub.HistoryPage{Top: top, Lost: q.Since != nil && (q.Since.Epoch != top.Epoch || q.Since.Offset > 0)}
}

// keep applies a retention to a pinned room.
func (b *Broker) keep(r *room, now time.Time, to hub.Retention) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := b.load(r, now); err != nil {
		return err
	}
	r.keep(now, to)
	b.account(r)
	return nil
}

// account updates b.used and b.keyed from a room. The caller holds the room's lock.
func (b *Broker) account(r *room) {
	if is := r.size(); is != r.bytes {
		b.used.Add(is - r.bytes)
		r.bytes = is
	}
	if is := r.keySize(); is != r.keyed {
		b.keyed.Add(is - r.keyed)
		r.keyed = is
	}
}

// Stats are figures for an operator.
type Stats struct {
	// Bytes is what counts against Options.HistoryBytes now. Keys is the part of it for
	// idempotency keys.
	Bytes, Keys int64
	// Evicted counts the rooms that were dropped to stay within the bound. Reduced counts
	// how often a room lost its oldest messages for it.
	Evicted, Reduced uint64
}

// Stats returns the current figures.
func (b *Broker) Stats() Stats {
	return Stats{Bytes: b.used.Load(), Keys: b.keyed.Load(), Evicted: b.evicted.Load(), Reduced: b.reduced.Load()}
}
