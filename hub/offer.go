package hub

import (
	"hash/crc32"
	"strconv"
	"sync/atomic"
)

// The states of Message.drain: may the goroutine in Publish do the broadcast?
const (
	drainNobody  uint32 = iota // no: the room starts a goroutine
	drainOffered               // yes: Publish waits for the broker and can do it
	drainClaimed               // it must: the room in Message.drainer relies on it
)

// offerDrain offers the room that this goroutine does the broadcast once the broker has
// returned. That saves a small room the switch to another goroutine. Unlike a broadcast
// from inside the broker, it runs without the broker's lock.
func (m *Message) offerDrain() { atomic.StoreUint32(&m.drain, drainOffered) }

// claimDrain is called by a room. It returns true if Publish will drain that room, even if
// another room has the channel by then. Two rooms never claim a message at once, because
// a broker broadcasts it once.
func (m *Message) claimDrain(r *room) bool {
	if atomic.LoadUint32(&m.drain) != drainOffered {
		return false
	}
	m.drainer = r // before the swap, behind which Publish reads it
	if atomic.CompareAndSwapUint32(&m.drain, drainOffered, drainClaimed) {
		return true
	}
	m.drainer = nil
	return false
}

// finishDrain ends the offer and, if a room claimed it, drains that room. It also releases
// the space that the message had reserved.
func (m *Message) finishDrain(s Space) {
	if atomic.SwapUint32(&m.drain, drainNobody) != drainClaimed {
		s.Release()
		return
	}
	r := m.drainer
	m.drainer = nil // because the history keeps the message
	if s.room != r {
		s.Release()
		s.weight = 0
	}
	r.drainInline(s.weight)
}

// anchor returns a hash that differs between different messages. It protects against
// accidents, not against forgery, so 32 bits of CRC are enough.
func anchor(m *Message) uint32 {
	sum := crc32.ChecksumIEEE(m.Content)
	sum = crc32.Update(sum, crc32.IEEETable, []byte(m.Sender))
	sum = crc32.Update(sum, crc32.IEEETable, strconv.AppendInt(nil, m.Time.UnixNano(), 10))
	return max(sum, 1) // 0 means unknown
}
