package hub

import (
	"hash/crc32"
	"strconv"
	"sync/atomic"
)

// The states of Message.drain: may the goroutine in Publish do the broadcast? They also say
// who owns Message.drainer.
const (
	drainNobody  uint32 = iota // no: the room starts a goroutine
	drainOffered               // yes: Publish waits for the broker and can do it
	drainTaken                 // the broadcast reads or writes Message.drainer
	drainClaimed               // it must: the room in Message.drainer relies on it
)

// offerDrain offers the room that this goroutine does the broadcast once the broker has
// returned. That saves a small room the switch to another goroutine. Unlike a broadcast
// from inside the broker, it runs without the broker's lock. r is the room that Publish has
// found, and the broadcast need not search it again; nil if there is none.
func (m *Message) offerDrain(r *room) {
	m.drainer = r
	atomic.StoreUint32(&m.drain, drainOffered)
}

// foundRoom returns the room that Publish has found, or nil. It may be dead by now.
func (m *Message) foundRoom() *room {
	if !m.takeDrainer() {
		return nil
	}
	r := m.drainer
	m.returnDrainer(drainOffered)
	return r
}

// takeDrainer takes Message.drainer from a Publish that still offers. returnDrainer follows.
func (m *Message) takeDrainer() bool {
	return atomic.CompareAndSwapUint32(&m.drain, drainOffered, drainTaken)
}

// returnDrainer ends a take. It returns false if Publish has ended its offer meanwhile.
func (m *Message) returnDrainer(state uint32) bool {
	if atomic.CompareAndSwapUint32(&m.drain, drainTaken, state) {
		return true
	}
	m.drainer = nil // Publish left it to this goroutine
	return false
}

// claimDrain is called by a room. It returns true if Publish will drain that room, even if
// another room has the channel by then. Two rooms never claim a message at once, because
// a broker broadcasts it once.
func (m *Message) claimDrain(r *room) bool {
	if !m.takeDrainer() {
		return false
	}
	m.drainer = r
	return m.returnDrainer(drainClaimed)
}

// finishDrain ends the offer and, if a room claimed it, drains that room. It also releases
// the space that the message had reserved. publisher is the connection that it came from,
// or nil.
func (m *Message) finishDrain(s Space, publisher *Conn) {
	state := atomic.SwapUint32(&m.drain, drainNobody)
	if state == drainTaken {
		s.Release()
		return
	}
	r := m.drainer
	m.drainer = nil // because the history keeps the message
	if state != drainClaimed {
		s.Release()
		return
	}
	if s.room != r {
		s.Release()
		s.weight = 0
	}
	r.drainInline(s.weight, publisher)
}

// Hash returns what a message in a room with history has as its anchor: a hash of its content, sender and
// time. It protects against accidents, not against forgery, so 32 bits of CRC are enough.
func (m *Message) Hash() uint32 {
	b := getBuffer() // because what crc32 gets would be allocated
	defer putBuffer(b)
	*b = strconv.AppendInt(append(*b, m.Sender...), m.Time.UnixNano(), 10)
	sum := crc32.Update(crc32.ChecksumIEEE(m.Content), crc32.IEEETable, *b)
	return max(sum, 1) // 0 means unknown
}
