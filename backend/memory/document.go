package memory

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// maxDocuments bounds the memory of all documents of a store, in bytes. What would go
// beyond it is refused, because to forget a document in favour of another one would
// lose what nobody else may have.
const maxDocuments = 256 << 20

// DocumentStore is a [document.Store] for one process. There is mostly one node;
// [DocumentStore.Join] makes others that share the documents.
//
// A document is kept as long as the store lives, once it was changed; its epoch is
// the store's. Entries are handed to the sinks in the Commit that appends them, under
// the lock of the document, which is what keeps their order. Locks: those of [table],
// then whatever a sink locks. There is no goroutine.
type DocumentStore struct {
	// Set when the node is made.
	table *documentTable
	sink  document.Sink

	closed atomic.Bool
}

var _ document.Store = (*DocumentStore)(nil)

// documentTable is what the nodes of one store share.
type documentTable struct {
	epoch string
	limit int64
	used  atomic.Int64 // estimated bytes
	rooms table[*documentRoom]
}

// NewDocumentStore returns a store with one node, which delivers to sink.
func NewDocumentStore(sink document.Sink) *DocumentStore {
	t := &documentTable{epoch: strings.ToLower(rand.Text()[:8]), limit: maxDocuments}
	t.rooms.init(func(channel string) *documentRoom {
		return &documentRoom{slot: slot{channel: channel}, table: t}
	})
	return &DocumentStore{table: t, sink: sink}
}

// Join returns another node of the same store, which delivers to sink.
func (s *DocumentStore) Join(sink document.Sink) *DocumentStore {
	return &DocumentStore{table: s.table, sink: sink}
}

// in does f in a locked room, unless ctx is over or the node closed.
func (s *DocumentStore) in(ctx context.Context, channel string, f func(*documentRoom) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := s.table.rooms.open(channel)
	defer s.table.rooms.release(r)
	if s.closed.Load() {
		return document.ErrClosed
	}
	return f(r)
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
	r := s.table.rooms.open(channel)
	r.detach(s)
	s.table.rooms.release(r)
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

// Close implements [document.Store]. The documents stay for the other nodes. Closing
// again does nothing.
func (s *DocumentStore) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.table.rooms.each(func(r *documentRoom) { delete(r.attached, s) })
	return nil
}
