package hub

import (
	"hash/crc32"
	"strconv"
	"sync/atomic"
)

// The states of Message.drain: may the goroutine in Publish do the broadcast?
const (
	drainNobody  uint32 = iota // the room starts a goroutine
	drainOffered               // Publish waits for the broker and can do it
	drainClaimed               // a room, Message.drainer, has left it to Publish
)

// offerDrain tells the room that this goroutine can do the broadcast once the broker
// has returned. It saves the goroutine switch of a small room, and unlike a
// broadcast from inside the broker it runs without the broker's lock.
func (m *Message) offerDrain() { atomic.StoreUint32(&m.drain, drainOffered) }

// claimDrain is called by a room; true means that Publish will drain that room, even if
// another one has the channel by then. No two rooms claim a message at once, because
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

// finishDrain ends the offer and does what it promised to the room that claimed it. It also
// gives the space back that the message had reserved.
func (m *Message) finishDrain(s Space) {
	if atomic.SwapUint32(&m.drain, drainNobody) != drainClaimed {
		s.Release()
		return
	}
	r := m.drainer
	m.drainer = nil // the history keeps the message
	if s.room != r {
		s.Release()
		s.weight = 0
	}
	r.drainInline(s.weight)
}

// anchor hashes what makes a message this message. It guards against accidents,
// not against forgery, so that 32 bits of CRC are enough.
func anchor(m *Message) uint32 {
	sum := crc32.ChecksumIEEE(m.Content)
	sum = crc32.Update(sum, crc32.IEEETable, []byte(m.Sender))
	sum = crc32.Update(sum, crc32.IEEETable, strconv.AppendInt(nil, m.Time.UnixNano(), 10))
	return max(sum, 1) // 0 means unknown
}
