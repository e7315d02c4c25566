package redis

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// jumpHash returns the shard, of n, that has a channel. When a shard is added at the end, only
// the channels that it gets move. It is the jump consistent hash of Lamping and Veach, "A Fast,
// Minimal Memory, Consistent Hash Algorithm" (2014).
func jumpHash(channel string, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(channel)) // never fails
	key, at := h.Sum64(), int64(0)
	for next := int64(0); next < int64(n); {
		at = next
		key = key*2862933555777941757 + 1
		next = int64(float64(at+1) * (float64(1<<31) / float64(key>>33+1)))
	}
	return int(at)
}

// inParallel calls do with each element at the same time, waits for all calls and joins their
// errors.
func inParallel[T any](all []T, do func(T) error) error {
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

func (bs brokers) brokerOf(channel string) *Broker { return bs.parts[bs.c.shardIndex(channel)] }

// Publish implements [hub.Broker].
func (bs brokers) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	return bs.brokerOf(m.Channel).Publish(ctx, m, o)
}

// History implements [hub.Broker].
func (bs brokers) History(ctx context.Context, channel string, keep hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	return bs.brokerOf(channel).History(ctx, channel, keep, q)
}

// Attach implements [hub.Broker].
func (bs brokers) Attach(ctx context.Context, channel string, keep hub.Retention) error {
	return bs.brokerOf(channel).Attach(ctx, channel, keep)
}

// Detach implements [hub.Broker].
func (bs brokers) Detach(channel string) { bs.brokerOf(channel).Detach(channel) }

// Close implements [hub.Broker].
func (bs brokers) Close() error { return inParallel(bs.parts, (*Broker).Close) }

// Stats returns the figures of all shards together.
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

func (ps presences) presenceOf(channel string) *Presence { return ps.parts[ps.c.shardIndex(channel)] }

// Enter implements [presence.Store].
func (ps presences) Enter(ctx context.Context, channel string, ms []*presence.Member) error {
	return ps.presenceOf(channel).Enter(ctx, channel, ms)
}

// Leave implements [presence.Store].
func (ps presences) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	return ps.presenceOf(channel).Leave(ctx, channel, ds)
}

// Attach implements [presence.Store].
func (ps presences) Attach(ctx context.Context, channel string) error {
	return ps.presenceOf(channel).Attach(ctx, channel)
}

// Detach implements [presence.Store].
func (ps presences) Detach(channel string) { ps.presenceOf(channel).Detach(channel) }

// List implements [presence.Store].
func (ps presences) List(ctx context.Context, channel string, q presence.Query) (presence.Page, error) {
	return ps.presenceOf(channel).List(ctx, channel, q)
}

// Has implements [presence.Store].
func (ps presences) Has(ctx context.Context, channel, key string, as presence.Owner) (bool, error) {
	return ps.presenceOf(channel).Has(ctx, channel, key, as)
}

// Close implements [presence.Store].
func (ps presences) Close() error { return inParallel(ps.parts, (*Presence).Close) }

// documentStores is the [document.Store] of several shards.
type documentStores struct {
	c     *Client
	parts []*Documents // in the order of the shards
}

func (ds documentStores) storeOf(channel string) *Documents {
	return ds.parts[ds.c.shardIndex(channel)]
}

// Attach implements [document.Store].
func (ds documentStores) Attach(ctx context.Context, channel string) error {
	return ds.storeOf(channel).Attach(ctx, channel)
}

// Detach implements [document.Store].
func (ds documentStores) Detach(channel string) { ds.storeOf(channel).Detach(channel) }

// Load implements [document.Store].
func (ds documentStores) Load(ctx context.Context, channel string, known document.Known) (document.Record, error) {
	return ds.storeOf(channel).Load(ctx, channel, known)
}

// Commit implements [document.Store].
func (ds documentStores) Commit(ctx context.Context, channel string, c document.Commit) (document.Committed, error) {
	c.Budget = budgetPerShard(c.Budget, len(ds.parts))
	return ds.storeOf(channel).Commit(ctx, channel, c)
}

// Find implements [document.Store].
func (ds documentStores) Find(ctx context.Context, channel, key string) (uint64, error) {
	return ds.storeOf(channel).Find(ctx, channel, key)
}

// Close implements [document.Store].
func (ds documentStores) Close() error { return inParallel(ds.parts, (*Documents).Close) }

// Forget implements [document.Store].
func (ds documentStores) Forget(ctx context.Context, channel string, only document.Known) (bool, error) {
	return ds.storeOf(channel).Forget(ctx, channel, only)
}

// List implements [document.Store].
func (ds documentStores) List(ctx context.Context, prefix, after string, limit int) (page []document.Info, more bool, err error) {
	pages, mores := make([][]document.Info, len(ds.parts)), make([]bool, len(ds.parts))
	all := make([]int, len(ds.parts))
	for i := range all {
		all[i] = i
	}
	err = inParallel(all, func(i int) (err error) {
		pages[i], mores[i], err = ds.parts[i].List(ctx, prefix, after, limit)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	page = slices.Concat(pages...)
	slices.SortFunc(page, func(a, b document.Info) int { return strings.Compare(a.Channel, b.Channel) })
	if len(page) > limit {
		return page[:limit], true, nil
	}
	return page, slices.Contains(mores, true), nil
}
