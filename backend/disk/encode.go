package disk

import (
	"encoding/binary"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// roomRecord is what the file has of a room beside its messages.
type roomRecord struct {
	id     uint64 // of the room's messages
	epoch  string
	top    uint64 // offset of the newest message, kept or not
	first  uint64 // offset of the oldest message that is kept; top+1 if none is
	anchor uint32 // of the message at top
	before uint32 // of the message before first
	ttl    time.Duration
	used   time.Time // when the newest message was stored
}

func (r *roomRecord) encode() []byte {
	b := make([]byte, 0, 64)
	b = appendText(b, r.epoch)
	for _, n := range [...]uint64{r.id, r.top, r.first, uint64(r.anchor), uint64(r.before), uint64(r.ttl), uint64(r.used.UnixNano())} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func decodeRoom(b []byte) (r roomRecord, err error) {
	d := decoder{rest: b}
	r.epoch = d.text()
	r.id, r.top, r.first = d.number(), d.number(), d.number()
	r.anchor, r.before = uint32(d.number()), uint32(d.number())
	r.ttl, r.used = time.Duration(d.number()), time.Unix(0, int64(d.number()))
	return r, d.err()
}

// place returns the key of a message in messagesBucket.
func place(room, offset uint64) []byte {
	return binary.BigEndian.AppendUint64(number(room), offset)
}

// encodeMessage returns a message without its channel and position, which the keys say.
func encodeMessage(m *hub.Message, stored time.Time) []byte {
	b := make([]byte, 0, 64+len(m.Content)+len(m.Tags)+len(m.Event)+len(m.Sender))
	b = binary.AppendUvarint(b, uint64(m.Position.Anchor))
	b = binary.AppendUvarint(b, uint64(stored.UnixNano()))
	b = binary.AppendUvarint(b, uint64(m.Time.UnixNano()))
	b = appendText(appendText(b, m.Event), m.Sender)
	b = appendText(appendText(b, string(m.Tags)), string(m.Content))
	if m.Except != "" { // last, because few messages have it
		b = appendText(b, m.Except)
	}
	return b
}

// decodeMessage is the opposite. What it returns does not refer to b.
func decodeMessage(b []byte, channel, epoch string, offset uint64) (*hub.Message, time.Time, error) {
	d := decoder{rest: b}
	m := &hub.Message{Channel: channel, Position: hub.Position{Epoch: epoch, Offset: offset, Anchor: uint32(d.number())}}
	stored := time.Unix(0, int64(d.number()))
	m.Time = time.Unix(0, int64(d.number()))
	m.Event, m.Sender = d.text(), d.text()
	if tags := d.text(); tags != "" {
		m.Tags = []byte(tags)
	}
	m.Content = []byte(d.text())
	if len(d.rest) > 0 {
		m.Except = d.text()
	}
	return m, stored, d.err()
}

// decodeHead returns the anchor of a message and when it was stored.
func decodeHead(b []byte) (anchor uint32, stored time.Time, err error) {
	d := decoder{rest: b}
	anchor, stored = uint32(d.number()), time.Unix(0, int64(d.number()))
	return anchor, stored, d.err()
}

// savedKey is an idempotency key with the result of its message.
type savedKey struct {
	channel, key string
	at           hub.Position
	digest       uint32
}

func (k *savedKey) encode() []byte {
	b := appendText(appendText(appendText(nil, k.channel), k.key), k.at.Epoch)
	b = binary.AppendUvarint(b, k.at.Offset)
	b = binary.AppendUvarint(b, uint64(k.at.Anchor))
	return binary.AppendUvarint(b, uint64(k.digest))
}

func decodeKey(b []byte) (k savedKey, err error) {
	d := decoder{rest: b}
	k.channel, k.key, k.at.Epoch = d.text(), d.text(), d.text()
	k.at.Offset, k.at.Anchor, k.digest = d.number(), uint32(d.number()), uint32(d.number())
	return k, d.err()
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// decoder reads what the functions above have appended.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) text() string {
	n := d.number()
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	text := string(d.rest[:n])
	d.rest = d.rest[n:]
	return text
}

func (d *decoder) err() error {
	if d.bad {
		return errDamaged
	}
	return nil
}
