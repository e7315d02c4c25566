package disk

import (
	"bytes"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
)

// loadDocuments makes k keep the documents of d, and hands over those that the file has.
func (s *Store) loadDocuments(d *memory.DocumentStore, k documentKeeper) error {
	d.Keep(k, s.meta.documents)
	if s.meta.documents == "" {
		// The epoch was never stored, and clients will learn it.
		if err := k.Forget("", d.Epoch()); err != nil {
			return err
		}
	}
	return s.file.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(documentsBucket).ForEach(func(channel, value []byte) error {
			r, err := decodeDocument(value)
			if err != nil {
				return err
			}
			saved, err := r.load(tx, string(channel))
			if err == nil {
				d.Restore(saved)
			}
			return err
		})
	})
}

// load reads the document of a record.
func (r *documentRecord) load(tx *bbolt.Tx, channel string) (*memory.SavedDocument, error) {
	d := &memory.SavedDocument{Channel: channel, Epoch: r.epoch, Version: r.version, Base: r.base, Bill: r.bill, TTL: r.ttl}
	log, keys := tx.Bucket(documentLogBucket), tx.Bucket(documentKeysBucket)
	if r.base > 0 {
		if d.Snapshot = bytes.Clone(log.Get(place(r.id, 0))); d.Snapshot == nil {
			return nil, errDamaged
		}
	}
	for v := r.oldest; v <= r.version; v++ {
		e, err := decodeEntry(log.Get(place(r.id, v)), v)
		if err != nil {
			return nil, err
		}
		d.Entries = append(d.Entries, e)
	}
	for v := r.oldestKey; v <= r.version; v++ {
		key := keys.Get(place(r.id, v))
		if key == nil {
			return nil, errDamaged
		}
		d.Keys = append(d.Keys, memory.SavedDocumentKey{Key: string(key), Version: v})
	}
	return d, nil
}
