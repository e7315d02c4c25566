package hub

import "time"

// Position is a place in a room's history. The zero Position means "none": rooms
// without history have no positions.
type Position struct {
	// Epoch names one incarnation of the room's log. It changes when the log was
	// lost, and then offsets of another epoch mean nothing.
	Epoch string
	// Offset counts the messages of an epoch: 1, 2, 3 …; 0 is before the first.
	Offset uint64
	// Anchor is a short hash of the message at Offset, which shows that a log
	// went back in time and was written differently. 0 means unknown.
	Anchor uint32
}

// IsZero reports whether there is no position.
func (p Position) IsZero() bool { return p.Epoch == "" }

// Before reports whether p and q are of one epoch and p lies before q.
func (p Position) Before(q Position) bool { return p.Epoch == q.Epoch && p.Offset < q.Offset }

// Message is what is published into a room. It is immutable once it was given
// to [Hub.Publish]; a broker sets Position before the message is broadcast.
type Message struct {
	// Channel is the name of the room.
	Channel string
	// Content is compact, valid JSON.
	Content []byte
	// Event is the application's name for the kind of message; may be empty.
	Event string
	// Sender is the user, or the connection of an anonymous publisher; empty
	// when the message came from the app.
	Sender string
	// Time is when the message was accepted.
	Time time.Time
	// Position is the message's own place; zero in a room without history.
	Position Position
	// Direct has the message delivered to one member alone; nil: to the room.
	Direct *Direct

	drain   uint32 // see offer; used atomically
	drainer *room  // see claim
}

// Event is anything a room or a session sends to a connection: a [*Message], a
// [Gap], or a value of another package that the connection's [Encoder] knows.
// The hub never looks into other events.
type Event any

// Selective is an optional ability of an announced [Event]: it is for a part of a
// room's connections only. Without it an event is for all of them.
type Selective interface {
	// Concerns decides by the interests that a connection subscribed with.
	Concerns(interests uint8) bool
}

// Personal is an optional ability of an announced [Event]: for a connection of the
// room another event may take its place, at the same point of the sequence.
type Personal interface {
	// For gives what the connection with this id gets instead; nil: nothing else.
	For(connection string) Event
}

// Gap tells a connection that messages of a channel were lost to it. Delivery
// goes on after Position, which is zero in rooms without history.
type Gap struct {
	Channel  string
	Position Position
}

// Reconnect asks a client to come back later, because this node is going away.
type Reconnect struct {
	// After is how long the client should wait; each connection gets its own.
	After time.Duration
	// Reason is a word for people and logs.
	Reason string
}

// Encoder turns events into the finished bytes of one dialect and transport,
// framing included. Connections that hold the same Encoder (compared with ==)
// share the bytes of a broadcast, so that each event is encoded once for all of
// them. An Encoder is used by several goroutines at once.
type Encoder interface {
	// AppendEvent appends ev. An event that has no form in this dialect appends
	// nothing.
	AppendEvent(dst []byte, ev Event) []byte
	// AppendPing appends a heartbeat.
	AppendPing(dst []byte) []byte
	// AppendClose appends what a client is told at the end.
	AppendClose(dst []byte, r Reason) []byte
}
