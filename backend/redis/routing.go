package redis

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// jump gives a channel one of n shards. When a shard is added at the end, only the
// channels that it gets move. It is the jump consistent hash of Lamping and Veach,
// "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).
func jump(channel string, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(channel)) // does not fail
	key, at := h.Sum64(), int64(0)
	for next := int64(0); next < int64(n); {
		at = next
		key = key*2862933555777941757 + 1
		next = int64(float64(at+1) * (float64(1<<31) / float64(key>>33+1)))
	}
	return int(at)
}

// together does the same with all, and waits for all.
func together[T any](all []T, do func(T) error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		errs[i] = errPanicked
		wg.Go(func() { guard.Run(nil, "one of several Redis", func() { errs[i] = do(one) }) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// brokers is the [hub.Broker] of several shards.
type brokers struct {
	c     *Client
	parts []*Broker // in the order of the shards
}

func (bs brokers) of(channel string) *Broker { return bs.parts[bs.c.of(channel)] }

// Publish implements [hub.Broker].
func (bs brokers) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	return bs.of(m.Channel).Publish(ctx, m, o)
}

// History implements [hub.Broker].
func (bs brokers) History(ctx context.Context, channel string, keep hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	return bs.of(channel).History(ctx, channel, keep, q)
}

// Attach implements [hub.Broker].
func (bs brokers) Attach(ctx context.Context, channel string, keep hub.Retention) error {
	return bs.of(channel).Attach(ctx, channel, keep)
}

// Detach implements [hub.Broker].
func (bs brokers) Detach(channel string) { bs.of(channel).Detach(channel) }

// Close implements [hub.Broker].
func (bs brokers) Close() error { return together(bs.parts, (*Broker).Close) }

// Stats gives the figures of all shards together.
func (bs brokers) Stats() Stats {
	sum := Stats{Connected: true}
	for _, b := range bs.parts {
		sum.add(b.Stats())
	}
	return sum
}

// presences is the [presence.Store] of several shards.
type presences struct {
	c     *Client
	parts []*Presence // in the order of the shards
}

func (ps presences) of(channel string) *Presence { return ps.parts[ps.c.of(channel)] }

// Enter implements [presence.Store].
func (ps presences) Enter(ctx context.Context, channel string, ms []*presence.Member) error {
	return ps.of(channel).Enter(ctx, channel, ms)
}

// Leave implements [presence.Store].
func (ps presences) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	return ps.of(channel).Leave(ctx, channel, ds)
}

// Attach implements [presence.Store].
func (ps presences) Attach(ctx context.Context, channel string) error {
	return ps.of(channel).Attach(ctx, channel)
}

// Detach implements [presence.Store].
func (ps presences) Detach(channel string) { ps.of(channel).Detach(channel) }

// List implements [presence.Store].
func (ps presences) List(ctx context.Context, channel string, q presence.Query) (presence.Page, error) {
	return ps.of(channel).List(ctx, channel, q)
}

// Has implements [presence.Store].
func (ps presences) Has(ctx context.Context, channel, key string) (bool, error) {
	return ps.of(channel).Has(ctx, channel, key)
}

// Close implements [presence.Store].
func (ps presences) Close() error { return together(ps.parts, (*Presence).Close) }

// documentStores is the [document.Store] of several shards.
type documentStores struct {
	c     *Client
	parts []*Documents // in the order of the shards
}

func (ds documentStores) of(channel string) *Documents { return ds.parts[ds.c.of(channel)] }

// Attach implements [document.Store].
func (ds documentStores) Attach(ctx context.Context, channel string) error {
	return ds.of(channel).Attach(ctx, channel)
}

// Detach implements [document.Store].
func (ds documentStores) Detach(channel string) { ds.of(channel).Detach(channel) }

// Load implements [document.Store].
func (ds documentStores) Load(ctx context.Context, channel string, known document.Known) (document.Record, error) {
	return ds.of(channel).Load(ctx, channel, known)
}

// Commit implements [document.Store].
func (ds documentStores) Commit(ctx context.Context, channel string, c document.Commit) (document.Committed, error) {
	c.Budget = part(c.Budget, len(ds.parts))
	return ds.of(channel).Commit(ctx, channel, c)
}

// Find implements [document.Store].
func (ds documentStores) Find(ctx context.Context, channel, key string) (uint64, error) {
	return ds.of(channel).Find(ctx, channel, key)
}

// Close implements [document.Store].
func (ds documentStores) Close() error { return together(ds.parts, (*Documents).Close) }
