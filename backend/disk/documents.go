package disk

import (
	"context"
	"fmt"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/history"
)

// Documents returns the documents of the store, all of which are in memory too, and delivers to
// sink. It is called once.
func (s *Store) Documents(sink document.Sink, box *memory.Outbox) (*memory.DocumentStore, error) {
	d := memory.NewDocumentStore(sink).Record(box)
	if err := s.loadDocuments(d, documentKeeper{s, box}); err != nil {
		_ = d.Close() // always nil
		return nil, fmt.Errorf("store: reading the documents of %s: %w", s.file.path, err)
	}
	return d, nil
}

// documentKeeper is the [memory.DocumentKeeper] of a store.
type documentKeeper struct {
	store *Store
	box   *memory.Outbox // nil: none
}

// Commit implements [memory.DocumentKeeper].
func (k documentKeeper) Commit(c *memory.DocumentChange) error {
	return k.do(&committing{change: c, box: k.box, now: time.Now()})
}

// Forget implements [memory.DocumentKeeper].
func (k documentKeeper) Forget(channel, epoch string) error {
	return k.do(&forgetting{channel: channel, epoch: epoch})
}

// Expire implements [memory.DocumentKeeper].
func (k documentKeeper) Expire(channel, epoch string) {
	k.store.later(&expiring{store: k.store, channel: channel, epoch: epoch})
}

// do makes a change, whatever the caller's context is: memory must learn whether it took place.
func (k documentKeeper) do(o interface {
	operation
	result() error
}) error {
	err := k.store.do(context.Background(), o)
	if err == nil {
		err = o.result()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", document.ErrUnavailable, err)
	}
	return nil
}

// outcome keeps the error of an operation.
type outcome struct{ err error }

func (o *outcome) finish(err error) { o.err = err }
func (o *outcome) result() error    { return o.err }

// committing is the operation that stores a change of a document.
type committing struct {
	outcome
	change *memory.DocumentChange
	box    *memory.Outbox // nil: none
	now    time.Time
}

func (p *committing) write(w *work) error {
	c := p.change
	r, err := w.document(c.Channel)
	if err != nil {
		return err
	}
	if r != nil && r.epoch != c.Epoch { // its removal has failed
		if err := w.removeDocument(c.Channel, r); err != nil {
			return err
		}
		r = nil
	}
	if r == nil {
		id, err := w.documents.NextSequence()
		if err != nil {
			return err
		}
		r = &documentRecord{id: id, epoch: c.Epoch, oldest: 1, oldestKey: 1}
	}
	p.box.RecordStoringChange(c.Channel, &c.Entry)
	return w.commit(r, c, p.now)
}

// commit stores a change of a document with a record.
func (w *work) commit(r *documentRecord, c *memory.DocumentChange, now time.Time) error {
	r.version, r.ttl, r.used, r.bill = c.Entry.Version, c.TTL, now, c.Bill
	key := place(r.id, r.version)
	if err := w.documentLog.Put(key, encodeEntry(&c.Entry)); err != nil {
		return err
	}
	if err := w.documentKeys.Put(key, []byte(c.Entry.Key)); err != nil {
		return err
	}
	if c.Snapshot != nil {
		r.base = r.version
		if err := w.documentLog.Put(place(r.id, 0), c.Snapshot); err != nil {
			return err
		}
	}
	if err := dropBefore(w.documentLog, r.id, &r.oldest, c.Oldest); err != nil {
		return err
	}
	if err := dropBefore(w.documentKeys, r.id, &r.oldestKey, c.OldestKey); err != nil {
		return err
	}
	return w.documents.Put([]byte(c.Channel), r.encode())
}

// dropBefore removes what a bucket has of a document between two versions.
func dropBefore(b table, id uint64, from *uint64, to uint64) error {
	for ; *from < to; *from++ {
		if err := b.Delete(place(id, *from)); err != nil {
			return err
		}
	}
	return nil
}

// forgetting is the operation that removes a document.
type forgetting struct {
	outcome
	channel, epoch string
}

func (p *forgetting) write(w *work) error {
	r, err := w.document(p.channel)
	if err == nil && r != nil {
		err = w.removeDocument(p.channel, r)
	}
	if err != nil {
		return err
	}
	return w.meta.Put(metaDocuments, []byte(p.epoch))
}

// expiring is the operation that removes a document that has expired in memory. A document of
// another epoch has come after it. A removal that fails is tried again with each sweep.
type expiring struct {
	store          *Store
	channel, epoch string
}

func (p *expiring) write(w *work) error {
	r, err := w.document(p.channel)
	if err != nil || r == nil || r.epoch != p.epoch {
		return nil // a damaged record must not fail the removal of others for ever
	}
	if err := w.removeDocument(p.channel, r); err != nil {
		return err
	}
	// Not the epoch that memory has meanwhile: a document may have had that one and be removed.
	return w.meta.Put(metaDocuments, []byte(history.NewEpoch()))
}

func (p *expiring) finish(err error) {
	if err != nil {
		p.store.late.again(p)
	}
}

func (w *work) document(channel string) (*documentRecord, error) {
	b := w.documents.Get([]byte(channel))
	if b == nil {
		return nil, nil
	}
	r, err := decodeDocument(b)
	return &r, err
}

func (w *work) removeDocument(channel string, r *documentRecord) error {
	if err := w.documentLog.Delete(place(r.id, 0)); err != nil {
		return err
	}
	if err := dropBefore(w.documentLog, r.id, &r.oldest, r.version+1); err != nil {
		return err
	}
	if err := dropBefore(w.documentKeys, r.id, &r.oldestKey, r.version+1); err != nil {
		return err
	}
	return w.documents.Delete([]byte(channel))
}
