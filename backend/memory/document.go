package memory

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// DocumentStore is a [document.Store] for one process. Usually it has one node;
// [DocumentStore.Join] adds others that share the documents.
//
// Commit hands the entry that it appends to the sinks, under the lock of the document,
// which keeps the order. There is no goroutine: documents whose TTL is over are removed
// when they are read, and before a commit or a list.
type DocumentStore struct {
	// Set when the node is made.
	table *documentTable
	sink  document.Sink

	closed atomic.Bool
}

var _ document.Store = (*DocumentStore)(nil)

// documentTable is what the nodes of one store share.
type documentTable struct {
	// epoch is the epoch of documents that nobody has changed and nobody follows. It
	// changes with each document that is dropped: nothing is left of that document that
	// could tell it from the next one in its place.
	epoch     atomic.Pointer[string]
	rooms     table[*documentRoom]
	ledger    ledger
	deadlines deadlines

	// Set before the store is used.
	outbox *Outbox        // of the app's events; nil: none
	keeper DocumentKeeper // nil: documents end with the process
}

func newDocumentEpoch() string { return strings.ToLower(rand.Text()[:8]) }

// NewDocumentStore returns a store with one node, which delivers to sink.
func NewDocumentStore(sink document.Sink) *DocumentStore {
	t := &documentTable{ledger: ledger{by: make(map[string]int64)}}
	epoch := newDocumentEpoch()
	t.epoch.Store(&epoch)
	t.rooms.init(func(channel string) *documentRoom {
		return &documentRoom{slot: slot{channel: channel}, table: t, epoch: *t.epoch.Load()}
	})
	return &DocumentStore{table: t, sink: sink}
}

// Record makes the store record changes in an outbox. It is called before the store is used, and
// returns the store.
func (s *DocumentStore) Record(o *Outbox) *DocumentStore {
	s.table.outbox = o
	return s
}

// Join returns another node of the same store, which delivers to sink.
func (s *DocumentStore) Join(sink document.Sink) *DocumentStore {
	return &DocumentStore{table: s.table, sink: sink}
}

// in calls f with the locked room, unless ctx is over or the node is closed.
func (s *DocumentStore) in(ctx context.Context, channel string, f func(*documentRoom) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := document.ErrClosed
	s.table.rooms.in(channel, func(r *documentRoom) {
		if !s.closed.Load() {
			r.expire(time.Now())
			err = f(r)
		}
	})
	return err
}

// Attach implements [document.Store].
func (s *DocumentStore) Attach(ctx context.Context, channel string) error {
	return s.in(ctx, channel, func(r *documentRoom) error {
		r.attach(s)
		return nil
	})
}

// Detach implements [document.Store].
func (s *DocumentStore) Detach(channel string) {
	s.table.rooms.in(channel, func(r *documentRoom) { r.detach(s) })
}

// Load implements [document.Store].
func (s *DocumentStore) Load(ctx context.Context, channel string, known document.Known) (rec document.Record, err error) {
	err = s.in(ctx, channel, func(r *documentRoom) error {
		rec = r.load(known)
		return nil
	})
	return rec, err
}

// Commit implements [document.Store].
func (s *DocumentStore) Commit(ctx context.Context, channel string, c document.Commit) (done document.Committed, err error) {
	s.table.sweep(time.Now())
	if s.table.keeper != nil {
		return s.commitKept(ctx, channel, c)
	}
	err = s.in(ctx, channel, func(r *documentRoom) (err error) {
		done, err = r.commit(c)
		return err
	})
	return done, err
}

// Find implements [document.Store].
func (s *DocumentStore) Find(ctx context.Context, channel, key string) (version uint64, err error) {
	err = s.in(ctx, channel, func(r *documentRoom) error {
		version = r.keys[key]
		return nil
	})
	return version, err
}

// Forget implements [document.Store].
func (s *DocumentStore) Forget(ctx context.Context, channel string, only document.Known) (done bool, err error) {
	if s.table.keeper != nil {
		return s.forgetKept(ctx, channel, only)
	}
	err = s.in(ctx, channel, func(r *documentRoom) error {
		if done = r.is(only); done {
			r.forget(newDocumentEpoch())
		}
		return nil
	})
	return done, err
}

// List implements [document.Store].
func (s *DocumentStore) List(ctx context.Context, prefix, after string, limit int) (page []document.Info, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if s.closed.Load() {
		return nil, false, document.ErrClosed
	}
	s.table.sweep(time.Now())
	s.table.rooms.each(func(r *documentRoom) {
		if r.version > 0 && r.channel > after && strings.HasPrefix(r.channel, prefix) {
			page = append(page, document.Info{Channel: r.channel, Version: r.version, Bytes: r.bytes})
		}
	})
	slices.SortFunc(page, func(a, b document.Info) int { return strings.Compare(a.Channel, b.Channel) })
	if len(page) > limit {
		return slices.Clone(page[:limit]), true, nil
	}
	return page, false, nil
}

// sweep drops documents whose TTL is over. If there are many it drops only some.
func (t *documentTable) sweep(now time.Time) {
	const most = 64
	for range most {
		channel, over := t.deadlines.take(now)
		if !over {
			return
		}
		t.rooms.in(channel, func(r *documentRoom) {
			r.expire(now)
			r.schedule(now)
		})
	}
}

// Close implements [document.Store]. The other nodes keep the documents. Closing again does
// nothing.
func (s *DocumentStore) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.table.rooms.each(func(r *documentRoom) { delete(r.attached, s) })
	return nil
}
