package disk

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Load implements [memory.Durable].
func (s *Store) Load(channel string) (saved *memory.Saved, err error) {
	if !s.has(channel) {
		return nil, nil
	}
	err = s.file.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(roomsBucket).Get([]byte(channel))
		if b == nil {
			return nil
		}
		r, err := decodeRoom(b)
		if err != nil {
			return err
		}
		saved = &memory.Saved{Before: hub.Position{Epoch: r.epoch, Offset: r.first - 1, Anchor: r.before}}
		return r.messages(tx, func(offset uint64, value []byte) error {
			m, stored, err := decodeMessage(value, channel, r.epoch, offset)
			saved.Messages, saved.Times = append(saved.Messages, m), append(saved.Times, stored)
			return err
		})
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return saved, nil
}

// messages calls do with the messages of a room, the oldest first.
func (r *roomRecord) messages(tx *bbolt.Tx, do func(offset uint64, value []byte) error) error {
	c, prefix := tx.Bucket(messagesBucket).Cursor(), number(r.id)
	next := r.first
	for k, v := c.Seek(place(r.id, r.first)); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if offset := binary.BigEndian.Uint64(k[8:]); offset != next {
			return errDamaged
		}
		if err := do(next, v); err != nil {
			return err
		}
		next++
	}
	if next != r.top+1 {
		return errDamaged
	}
	return nil
}

// loadKeys hands the idempotency keys that still count to the broker.
func (s *Store) loadKeys(b *memory.Broker) error {
	return s.file.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(keysBucket).Cursor()
		oldest := number(uint64(time.Now().Add(-s.o.KeyWindow).UnixNano()))
		for at, value := c.Seek(oldest); at != nil; at, value = c.Next() {
			k, err := decodeKey(value)
			if err != nil {
				return err
			}
			b.RestoreKey(k.channel, k.key, k.at, k.digest, time.Unix(0, int64(binary.BigEndian.Uint64(at))))
		}
		return nil
	})
}
