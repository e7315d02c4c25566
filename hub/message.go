package hub

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// Position is a place in a room's history. The zero Position means none: rooms without
// history have no positions.
type Position struct {
	// Epoch identifies one life of the room's log. A new log has a new epoch. Offsets of
	// different epochs cannot be compared.
	Epoch string
	// Offset counts the messages of an epoch: 1, 2, 3 …; 0 is before the first.
	Offset uint64
	// Anchor is a short hash of the message at Offset. It shows when a log was rolled
	// back and continued with other messages. 0 means unknown.
	Anchor uint32
}

// IsZero reports whether there is no position.
func (p Position) IsZero() bool { return p.Epoch == "" }

// Before reports whether p and q are of one epoch and p lies before q.
func (p Position) Before(q Position) bool { return p.Epoch == q.Epoch && p.Offset < q.Offset }

// Message is what is published to a room. It does not change once it was passed to
// [Hub.Publish], except that a broker sets Position before it broadcasts the message.
type Message struct {
	// Channel is the name of the room.
	Channel string
	// Content is compact, valid JSON.
	Content []byte
	// Event is the app's name for the kind of message; may be empty.
	Event string
	// Sender is the id of the user, or the id of the connection if the publisher is
	// anonymous; empty if the message came from the app.
	Sender string
	// Tags are what the publisher put beside the content for the filters of subscribers: a
	// compact JSON object, checked by package protocol; empty if there are none.
	Tags []byte
	// Time is when the message was accepted.
	Time time.Time
	// Position is the message's place in the history; zero in a room without history.
	Position Position
	// Direct addresses the message to one member; nil means to the whole room.
	Direct *Direct
	// Except is the id of a connection that does not get the message, usually that of the
	// publisher; empty for none. [ExceptAny] makes one of several. The position of the connection
	// advances over the message.
	Except string
	// Volatile says that the room's history does not keep the message: it has no position,
	// and a client that can not take it at once does not get it. [Hub.Publish] clears it in
	// rooms without history, where it changes nothing.
	Volatile bool

	// First is the digest of what the publisher sent, if the app has replaced that; 0 if it has
	// not. A repeat is compared with it, because the app may answer the repeat differently.
	First uint32

	drain   uint32 // see offerDrain; used atomically
	drainer *room  // see offerDrain and claimDrain; owned as drain says
}

// unplaced reports whether the message has no place in the history of a room that has one.
func (m *Message) unplaced() bool { return m.Direct != nil || m.Volatile }

// Event is anything that a room or a session sends to a connection: a [*Message], a [Gap],
// or a value of another package that the connection's [Encoder] knows. The hub does not
// look into the latter.
type Event any

// Selective is an optional interface of an announced [Event] that is for a part of a room's
// connections only. An event without it is for all of them.
type Selective interface {
	// Concerns reports whether the event is for a connection with these interests.
	Concerns(interests uint8) bool
}

// Personal is an optional interface of an announced [Event]. For some connections of the
// room it is replaced by another event, at the same point of the sequence.
type Personal interface {
	// For returns the event that the connection with this id gets instead; nil if it gets
	// this one.
	For(connection string) Event
}

// Gap notifies a connection that it did not get some messages of a channel. Delivery
// continues after Position, which is zero in rooms without history.
type Gap struct {
	Channel  string
	Position Position
}

// Reconnect asks a client to reconnect later, because this node stops.
type Reconnect struct {
	// After is how long the client should wait. It differs between connections.
	After time.Duration
	// Reason is a text for people and logs.
	Reason string
}

// Encoder encodes events into the bytes of one dialect and transport, framing included.
// Connections with the same Encoder (compared with ==) share the bytes of a broadcast, so
// that each event is encoded once for all of them. Several goroutines use an Encoder at
// once.
type Encoder interface {
	// AppendEvent appends ev. It appends nothing if the dialect has no form for the event.
	AppendEvent(dst []byte, ev Event) []byte
	// AppendPing appends a heartbeat.
	AppendPing(dst []byte) []byte
	// AppendClose appends the last bytes to a client, which say why the connection is
	// closed.
	AppendClose(dst []byte, r Reason) []byte
}

// ErrKeyReused is returned by a [Broker] when the key of a message belongs to another
// message. Nothing was sent.
var ErrKeyReused = errors.New("hub: the idempotency key belongs to another message")

// Digest returns a short hash of what a repeat of m has in common with m: content, event,
// addressee and tags. It is never 0. Brokers of other versions read it, so it must not change.
func (m *Message) Digest() uint32 {
	if m.First != 0 {
		return m.First
	}
	var to Address
	if m.Direct != nil {
		to = m.Direct.To
	}
	head := make([]byte, 0, 128)
	for _, text := range [...]string{m.Event, to.User, to.Connection} {
		head = binary.AppendUvarint(head, uint64(len(text)))
		head = append(head, text...)
	}
	head = append(head, m.Tags...) // last, because earlier versions have none
	sum := crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, m.Content)
	return max(sum, 1)
}

// Repeat returns [ErrKeyReused] if m is not a repeat of the message with the digest first,
// which had the same key. A digest of 0 is unknown, and then m counts as a repeat.
func (m *Message) Repeat(first uint32) error {
	if first != 0 && first != m.Digest() {
		return ErrKeyReused
	}
	return nil
}
