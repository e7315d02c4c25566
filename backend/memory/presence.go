package memory

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// PresenceStore is a [presence.Store] for one process. Usually it has one node;
// [PresenceStore.Join] adds others that share the members, for several hubs of one process
// and for tests of what happens between nodes.
//
// A room is kept while it has members, remembers members, or has an attached node. All
// rooms together remember a limited number of members; those that left first are dropped
// first. The call that causes an event hands it to the sinks, under the lock of the room,
// which keeps the order. There is no goroutine; a room that remembers members has a timer.
type PresenceStore struct {
	// Set when the node is made.
	table *presenceTable
	sink  presence.Sink

	closed atomic.Bool
}

var _ presence.Store = (*PresenceStore)(nil)

// presenceTable is what the nodes of one store share.
type presenceTable struct {
	clock atomic.Uint64 // orders what the nodes say
	nodes atomic.Int64  // that are not closed
	rooms table[*presenceRoom]
	gone  presenceLedger

	// Set before the store is used.
	outbox *Outbox        // of the app's events; nil: none
	ghost  *PresenceStore // holds the members of the process before; nil: there are none
	graces []*time.Timer  // end what ghost holds
}

// NewPresenceStore returns a store with one node, which delivers to sink.
func NewPresenceStore(sink presence.Sink) *PresenceStore {
	t := &presenceTable{gone: presenceLedger{most: maxRememberedInAll, mostBytes: maxRememberedBytes}}
	t.rooms.init(func(channel string) *presenceRoom {
		r := &presenceRoom{slot: slot{channel: channel}, table: t}
		r.gone.room, r.gone.ledger = r, &t.gone
		return r
	})
	return (&PresenceStore{table: t}).Join(sink)
}

// Record makes the store record in an outbox who enters and leaves. It is called before the
// store is used, and returns the store.
func (s *PresenceStore) Record(o *Outbox) *PresenceStore {
	s.table.outbox = o
	return s
}

// Join returns another node of the same store, which delivers to sink. When all nodes are
// closed the store drops everything, but can be joined again.
func (s *PresenceStore) Join(sink presence.Sink) *PresenceStore {
	s.table.nodes.Add(1)
	return &PresenceStore{table: s.table, sink: sink}
}

// in calls f with the locked room, unless ctx is over or the node is closed.
func (s *PresenceStore) in(ctx context.Context, channel string, f func(*presenceRoom)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := presence.ErrClosed
	s.table.rooms.in(channel, func(r *presenceRoom) {
		if !s.closed.Load() {
			f(r)
			err = nil
		}
	})
	return err
}

// Attach implements [presence.Store].
func (s *PresenceStore) Attach(ctx context.Context, channel string) error {
	return s.in(ctx, channel, func(r *presenceRoom) { r.attach(s) })
}

// Detach implements [presence.Store].
func (s *PresenceStore) Detach(channel string) {
	_ = s.in(context.Background(), channel, func(r *presenceRoom) { r.detach(s) })
}

// Enter implements [presence.Store].
func (s *PresenceStore) Enter(ctx context.Context, channel string, ms []*presence.Member) error {
	return s.in(ctx, channel, func(r *presenceRoom) { r.enter(s, ms) })
}

// Leave implements [presence.Store].
func (s *PresenceStore) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	err := s.in(ctx, channel, func(r *presenceRoom) { r.leave(s, ds) })
	s.table.fit()
	return err
}

// List implements [presence.Store].
func (s *PresenceStore) List(ctx context.Context, channel string, q presence.Query) (page presence.Page, err error) {
	err = s.in(ctx, channel, func(r *presenceRoom) { page = r.list(q) })
	return page, err
}

// Has implements [presence.Store].
func (s *PresenceStore) Has(ctx context.Context, channel, key string, as presence.Owner) (there bool, err error) {
	err = s.in(ctx, channel, func(r *presenceRoom) {
		m := r.present.Get(key)
		there = m != nil && m.Owner.May(as)
	})
	return there, err
}

// Close implements [presence.Store]. Members that no other node holds leave, unless the outbox has
// a journal: then they are in their grace when the next process starts. Closing again does
// nothing.
func (s *PresenceStore) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	last := s.table.nodes.Add(-1) == 0
	if last && s.table.outbox.keeps() {
		for _, t := range s.table.graces {
			t.Stop()
		}
		s.table.rooms.each(func(r *presenceRoom) { r.stop(s) })
		return nil
	}
	s.table.rooms.each(func(r *presenceRoom) {
		r.leaveAll(s)
		if last {
			r.forget()
		}
	})
	s.table.fit()
	return nil
}
