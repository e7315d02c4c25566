package hub

import (
	"context"
	"errors"
	"time"
)

// ErrUnavailable is returned by a [Broker] that cannot reach its store. The
// client may try again.
var ErrUnavailable = errors.New("hub: the message store cannot be reached")

// ErrClosed is returned by a hub or broker that was closed.
var ErrClosed = errors.New("hub: closed")

// Retention says how much history a room keeps.
type Retention struct {
	// Size is the greatest number of messages; 0 means no history, and then the
	// room has no positions.
	Size int
	// TTL is how long a message is kept; 0 means as long as Size allows.
	TTL time.Duration
}

// PublishOptions accompany one message to the broker.
type PublishOptions struct {
	Retention Retention
	// Key makes a repeated publish harmless: within the broker's window a second
	// publish with the same channel and key stores nothing and gives the position
	// of the first. If the broker still knows the first and its [Message.Digest] is
	// another, the second fails with [ErrKeyReused]. Empty means none.
	Key string
}

// Published is what became of a message.
type Published struct {
	// Position is the message's place; zero in rooms without history.
	Position Position
	// Duplicate reports that the key was seen before and nothing was sent.
	Duplicate bool
	// Degraded reports that only connections of this node were reached.
	Degraded bool
}

// HistoryQuery asks for retained messages of a room.
type HistoryQuery struct {
	// Since asks for the messages after a position, oldest first. Nil asks for
	// the newest ones.
	Since *Position
	// Limit is the greatest number of messages; 0 asks for the position alone.
	Limit int
}

// HistoryPage is the answer to a [HistoryQuery].
type HistoryPage struct {
	// Messages are in order of their offsets and without holes.
	Messages []*Message
	// Top is the newest position of the room.
	Top Position
	// Lost reports that Since is not in the log: another epoch, trimmed, ahead of
	// Top, or another message at that offset. Messages are then the oldest that
	// are left, up to Limit.
	Lost bool
	// More reports that Limit cut the messages off before Top.
	More bool
}

// Broker carries messages between the nodes and keeps the history. Appending a
// message, giving it its position and handing it to the [Sink]s happen atomically
// per room, so that every node broadcasts a room's messages in the order of their
// offsets. Methods may be called by several goroutines at once.
type Broker interface {
	// Publish stores m (when o.Retention keeps any), sets m.Position and has it
	// broadcast on every node that is attached to the room. The sink of this node
	// may be called before Publish returns. A message with Direct is not stored,
	// whatever o.Retention says, has no position, and leaves the room's log as it is.
	Publish(ctx context.Context, m *Message, o PublishOptions) (Published, error)
	// Attach begins the delivery of a room's messages to this node's sink and
	// returns when nothing published from now on can be missed. Attach and
	// Detach are counted, so that their order between goroutines does not matter.
	Attach(ctx context.Context, channel string, r Retention) error
	// Detach takes back one Attach. It does not block.
	Detach(channel string)
	// History reads retained messages. With r.Size 0 the page is empty.
	History(ctx context.Context, channel string, r Retention, q HistoryQuery) (HistoryPage, error)
	// Close stops the broker. Later calls return [ErrClosed].
	Close() error
}

// Sink receives what a [Broker] delivers to this node. [*Hub] is one.
type Sink interface {
	// Broadcast hands the messages of one room, in order, to this node's
	// connections. It never blocks and may be called with a lock of the room
	// held.
	Broadcast(channel string, ms ...*Message)
}
