package disk

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Broker is a [hub.Broker] for one node, whose rooms with history outlive the process.
// [Store.Broker] makes it.
type Broker struct {
	// Set by Store.Broker.
	store  *Store
	memory *memory.Broker
	box    *memory.Outbox // nil: none

	closed atomic.Bool
}

var (
	_ hub.Broker     = (*Broker)(nil)
	_ hub.FeedBroker = (*Broker)(nil)
	_ hub.Purger     = (*Broker)(nil)
	_ hub.Redactor   = (*Broker)(nil)
)

// Broker starts the broker of a store, which delivers to sink. It is called once.
func (s *Store) Broker(sink hub.Sink, o memory.Options) (*Broker, error) {
	o.Durable, o.Secret, o.KeyWindow = s, s.meta.secret, s.o.KeyWindow
	b := &Broker{store: s, memory: memory.New(sink, o), box: o.Outbox}
	if err := s.loadKeys(b.memory); err != nil {
		_ = b.memory.Close() // always nil
		return nil, fmt.Errorf("store: reading the keys of %s: %w", s.file.path, err)
	}
	s.broker.Store(b)
	return b, nil
}

// Memory returns the part of the broker that is in memory, for figures and its bound.
func (b *Broker) Memory() *memory.Broker { return b.memory }

// Publish implements [hub.Broker]. A message with a position or a key is delivered after it is on
// the disk; all others do not wait.
func (b *Broker) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	logged := o.Retention.Size > 0 && m.Direct == nil && !m.Volatile
	if !logged && o.Key == "" {
		if m.Direct == nil && !m.Volatile {
			if err := b.end(ctx, m.Channel); err != nil {
				return hub.Published{}, err
			}
		}
		return b.memory.Publish(ctx, m, o)
	}
	if err := b.check(ctx); err != nil {
		return hub.Published{}, err
	}
	if !logged && m.Direct == nil && !m.Volatile {
		if err := b.end(ctx, m.Channel); err != nil {
			return hub.Published{}, err
		}
	}
	p := newPublishing(b, m, o, logged)
	if err := b.store.do(ctx, p); err != nil {
		return hub.Published{}, err
	}
	if p.err == nil && !p.result.Duplicate {
		m.Position = p.result.Position
	}
	return p.result, p.err
}

// check returns an error if the context is over or the broker is closed.
func (b *Broker) check(ctx context.Context) error {
	if b.closed.Load() {
		return hub.ErrClosed
	}
	return ctx.Err()
}

// end removes the log of a room that has no history any more, if the store has one.
func (b *Broker) end(ctx context.Context, channel string) error {
	if !b.store.has(channel) {
		return nil
	}
	e := &ending{b: b, channel: channel}
	if err := b.store.do(ctx, e); err != nil {
		return err
	}
	return e.err
}

// Attach implements [hub.Broker].
func (b *Broker) Attach(ctx context.Context, channel string, r hub.Retention) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	if r.Size <= 0 {
		if err := b.end(ctx, channel); err != nil {
			return err
		}
	}
	return b.memory.Attach(ctx, channel, r)
}

// Detach implements [hub.Broker].
func (b *Broker) Detach(channel string) { b.memory.Detach(channel) }

// History implements [hub.Broker].
func (b *Broker) History(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	if err := b.check(ctx); err != nil {
		return hub.HistoryPage{}, err
	}
	if r.Size <= 0 {
		if err := b.end(ctx, channel); err != nil {
			return hub.HistoryPage{}, err
		}
	}
	page, err := b.memory.History(ctx, channel, r, q)
	if err != nil {
		return page, err
	}
	return b.older(channel, r, q, page)
}

// AttachFeed implements [hub.FeedBroker].
func (b *Broker) AttachFeed(ctx context.Context, feed string) error {
	return b.memory.AttachFeed(ctx, feed)
}

// DetachFeed implements [hub.FeedBroker].
func (b *Broker) DetachFeed(feed string) { b.memory.DetachFeed(feed) }

// Close implements [hub.Broker]. It waits for what is being stored, so that all that was
// acknowledged was delivered. The store stays open.
func (b *Broker) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	_ = b.store.do(context.Background(), barrier{}) // fails only if the writer has ended
	return b.memory.Close()
}
