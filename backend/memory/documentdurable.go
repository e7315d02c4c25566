package memory

import (
	"context"
	"maps"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

// DocumentKeeper keeps the documents of a store beyond the process. All documents are also in
// memory. Calls for one document come one after the other.
type DocumentKeeper interface {
	// Commit stores a change. After an error nothing is stored. The caller holds no lock.
	Commit(c *DocumentChange) error
	// Forget removes a document, and sets the epoch of documents that nobody has changed. The
	// caller holds no lock.
	Forget(channel, epoch string) error
	// Expire removes a document that has an epoch, later. It does not block. The caller holds the
	// document's lock.
	Expire(channel, epoch string)
}

// DocumentChange is what a commit changes in a document.
type DocumentChange struct {
	Channel, Epoch string
	Entry          document.Entry
	Snapshot       []byte // the state after the entry; nil: the snapshot stays
	Oldest         uint64 // version of the oldest entry that stays
	OldestKey      uint64 // version of the oldest key that stays
	TTL            time.Duration
	Bill           map[string]int64 // bytes by payer; few bytes may be counted too much
}

// SavedDocument is a document as a [DocumentKeeper] has it.
type SavedDocument struct {
	Channel, Epoch string
	Version, Base  uint64 // Base is the version of the snapshot
	Snapshot       []byte
	Entries        []document.Entry   // end with Version
	Keys           []SavedDocumentKey // the oldest first
	Bill           map[string]int64
	TTL            time.Duration
}

// SavedDocumentKey is the key of a change.
type SavedDocumentKey struct {
	Key     string
	Version uint64
}

// Keep makes the store keep its documents with a keeper. It is called before the store is used.
// The epoch is the latest one that the keeper got; empty if there is none.
func (s *DocumentStore) Keep(k DocumentKeeper, epoch string) {
	s.table.keeper = k
	if epoch != "" {
		s.table.epoch.Store(&epoch)
	}
}

// Epoch returns the epoch of documents that nobody has changed.
func (s *DocumentStore) Epoch() string { return *s.table.epoch.Load() }

// Restore adds a document that a keeper has. Its TTL starts anew, because clients may have
// followed it until the process ended. It is called before the store is used.
func (s *DocumentStore) Restore(d *SavedDocument) {
	s.table.rooms.in(d.Channel, func(r *documentRoom) { r.restore(d, time.Now()) })
}

func (r *documentRoom) restore(d *SavedDocument, now time.Time) {
	r.epoch, r.version, r.base, r.snapshot, r.entries = d.Epoch, d.Version, d.Base, d.Snapshot, d.Entries
	for i := range r.entries {
		r.logged += int64(r.entries[i].Bytes())
	}
	r.keys = make(map[string]uint64, len(d.Keys))
	for _, k := range d.Keys {
		r.keys[k.Key] = k.Version
		r.order = append(r.order, k.Key)
		r.keyed += int64(documentKeyBytes + len(k.Key))
	}
	r.bytes = int64(documentBytes+len(r.channel)+len(r.snapshot)) + r.logged + r.keyed
	r.bill = r.table.ledger.restore(d.Bill, r.bytes)
	r.ttl, r.used = d.TTL, now
	r.schedule(now)
}

// alone is in with a document of which no change is being stored.
func (s *DocumentStore) alone(ctx context.Context, channel string, f func(*documentRoom) error) error {
	for {
		var saving <-chan struct{}
		err := s.in(ctx, channel, func(r *documentRoom) error {
			if r.saving != nil {
				saving = r.saving
				return nil
			}
			return f(r)
		})
		if saving == nil {
			return err
		}
		select {
		case <-saving:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// commitKept is Commit with a keeper. The document is not locked while the change is being stored:
// readers get the state before it.
func (s *DocumentStore) commitKept(ctx context.Context, channel string, c document.Commit) (done document.Committed, err error) {
	var room *documentRoom
	var next step
	var before bill
	var change DocumentChange
	err = s.alone(ctx, channel, func(r *documentRoom) (err error) {
		if done, next, before, err = r.begin(&c); err == nil && done == (document.Committed{}) {
			room, change = r, r.change(&c, next)
			r.saving = make(chan struct{})
		}
		return err
	})
	if room == nil {
		return done, err
	}
	err = s.table.keeper.Commit(&change)
	s.table.rooms.use(room, func(r *documentRoom) {
		r.saved()
		if err != nil {
			r.table.ledger.undo(&r.bill, before)
			return
		}
		r.deliver(c, next)
		done.Version = r.version
	})
	return done, err
}

// forgetKept is Forget with a keeper.
func (s *DocumentStore) forgetKept(ctx context.Context, channel string, only document.Known) (done bool, err error) {
	var room *documentRoom
	err = s.alone(ctx, channel, func(r *documentRoom) error {
		if done = r.is(only); done && r.version > 0 {
			room, r.saving = r, make(chan struct{})
		}
		return nil
	})
	if room == nil {
		return done, err
	}
	epoch := newDocumentEpoch()
	err = s.table.keeper.Forget(channel, epoch)
	s.table.rooms.use(room, func(r *documentRoom) {
		if r.saved(); err == nil {
			r.forget(epoch)
		}
	})
	return err == nil, err
}

// saved ends the time in which a change is being stored.
func (r *documentRoom) saved() {
	close(r.saving)
	r.saving = nil
}

// change describes a commit for the keeper.
func (r *documentRoom) change(c *document.Commit, next step) DocumentChange {
	d := DocumentChange{
		Channel: r.channel, Epoch: r.epoch, Entry: c.Entry, Snapshot: c.Snapshot, TTL: c.TTL, Bill: maps.Clone(r.bill),
		Oldest: c.Entry.Version, OldestKey: c.Entry.Version,
	}
	if next.spare < len(r.entries) {
		d.Oldest = r.entries[next.spare].Version
	}
	if gone := r.keysGone(); gone < len(r.order) {
		d.OldestKey = r.keys[r.order[gone]]
	}
	return d
}
