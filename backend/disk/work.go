package disk

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// work is one transaction that writes. Only the writer uses it.
type work struct {
	meta, rooms, messages, keys, orders  table
	documents, documentLog, documentKeys table
	events, sinks, holds, members        table

	open map[string]*roomRecord // by channel: the rooms that the transaction uses; nil: no such room
	seen map[[2]string]savedKey // by channel and key: the keys of the transaction
}

// newWork adds what the transaction changes to changed, if that is not nil.
func newWork(tx *bbolt.Tx, changed *[]change) *work {
	in := func(name []byte) table { return table{tx.Bucket(name), string(name), changed} }
	return &work{
		meta: in(metaBucket), rooms: in(roomsBucket), messages: in(messagesBucket), keys: in(keysBucket), orders: in(ordersBucket),
		documents: in(documentsBucket), documentLog: in(documentLogBucket), documentKeys: in(documentKeysBucket),
		events: in(eventsBucket), sinks: in(sinksBucket), holds: in(holdsBucket), members: in(membersBucket),
		open: make(map[string]*roomRecord), seen: make(map[[2]string]savedKey),
	}
}

// room returns the record of a room; nil if there is none. What the caller changes in it is
// written by flush.
func (w *work) room(channel string) (*roomRecord, error) {
	if r, ok := w.open[channel]; ok {
		return r, nil
	}
	b := w.rooms.Get([]byte(channel))
	if b == nil {
		return nil, nil
	}
	r, err := decodeRoom(b)
	if err != nil {
		return nil, err
	}
	w.open[channel] = &r
	return &r, nil
}

// start makes the record of a room that has none.
func (w *work) start(channel, epoch string) (*roomRecord, error) {
	id, err := w.rooms.NextSequence()
	if err != nil {
		return nil, err
	}
	r := &roomRecord{id: id, epoch: epoch, first: 1}
	w.open[channel] = r
	return r, nil
}

// append stores a message as the next one of its room, and returns its position.
func (w *work) append(r *roomRecord, m *hub.Message, keep hub.Retention, now time.Time) (hub.Position, error) {
	r.top++
	r.anchor, r.ttl, r.used = m.Position.Anchor, keep.TTL, now
	if err := w.messages.Put(place(r.id, r.top), encodeMessage(m, now)); err != nil {
		return hub.Position{}, err
	}
	at := hub.Position{Epoch: r.epoch, Offset: r.top, Anchor: r.anchor}
	for r.top-r.first >= uint64(keep.Size) {
		if err := w.dropFirst(r); err != nil {
			return at, err
		}
	}
	return at, nil
}

// dropFirst removes the oldest message of a room.
func (w *work) dropFirst(r *roomRecord) error {
	key := place(r.id, r.first)
	anchor, _, err := decodeHead(w.messages.Get(key))
	if err != nil {
		return err
	}
	r.before = anchor
	r.first++
	return w.messages.Delete(key)
}

// remember stores an idempotency key.
func (w *work) remember(k savedKey, now time.Time) error {
	n, err := w.keys.NextSequence()
	if err != nil {
		return err
	}
	w.seen[[2]string{k.channel, k.key}] = k
	return w.keys.Put(binary.BigEndian.AppendUint64(number(uint64(now.UnixNano())), n), k.encode())
}

// end removes a room with all its messages, so that its next log has another epoch.
func (w *work) end(channel string) (had bool, err error) {
	r, err := w.room(channel)
	if r == nil || err != nil {
		return false, err
	}
	for r.first <= r.top {
		if err := w.dropFirst(r); err != nil {
			return false, err
		}
	}
	w.open[channel] = nil
	if err := w.rooms.Delete([]byte(channel)); err != nil {
		return false, err
	}
	return true, w.nextGeneration(channel)
}

// flush writes the records that have changed.
func (w *work) flush() error {
	for channel, r := range w.open {
		if r == nil {
			continue
		}
		if err := w.rooms.Put([]byte(channel), r.encode()); err != nil {
			return err
		}
	}
	return nil
}
