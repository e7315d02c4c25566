package hub

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// ErrKeyReused is returned by a [Broker] when the key of a message belongs to another
// message. Nothing was sent.
var ErrKeyReused = errors.New("hub: the idempotency key belongs to another message")

// Digest is a short hash of what a repeat of m has in common with m: content, event and
// addressee. It is never 0. Brokers of other versions read it, so that it must not change.
func (m *Message) Digest() uint32 {
	var to Address
	if m.Direct != nil {
		to = m.Direct.To
	}
	head := make([]byte, 0, 128)
	for _, text := range [...]string{m.Event, to.User, to.Connection} {
		head = binary.AppendUvarint(head, uint64(len(text)))
		head = append(head, text...)
	}
	sum := crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, m.Content)
	return max(sum, 1)
}

// Repeat returns [ErrKeyReused] if m is not a repeat of the message with the digest first,
// which had the same key. 0 means that the digest is not known, and then m is one.
func (m *Message) Repeat(first uint32) error {
	if first != 0 && first != m.Digest() {
		return ErrKeyReused
	}
	return nil
}
