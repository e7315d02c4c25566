package hub

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrUnavailable is returned by a [Broker] that cannot reach its store. The client may
// retry.
var ErrUnavailable = errors.New("hub: the message store cannot be reached")

// ErrNotStored is returned if an order could not be stored. It is an [ErrUnavailable].
var ErrNotStored = fmt.Errorf("the order could not be stored: %w", ErrUnavailable)

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

// PublishOptions are the options of one publish.
type PublishOptions struct {
	Retention Retention
	// Key makes a repeated publish harmless. Within the broker's window a second
	// publish with the same channel and key stores nothing and returns the position of
	// the first. If the broker still knows the first and its [Message.Digest] differs,
	// the second fails with [ErrKeyReused]. Empty means no key.
	Key string
	// Feed names a feed that gets the message as well; empty: none. A feed has the messages
	// of many rooms, see [FeedBroker].
	Feed string
}

// Published is the result of a publish.
type Published struct {
	// Position is the message's place in the history; zero in rooms without history.
	Position Position
	// Duplicate reports that the key was seen before and nothing was sent.
	Duplicate bool
	// Degraded reports that only connections of this node received the message.
	Degraded bool
}

// HistoryQuery asks for retained messages of a room.
type HistoryQuery struct {
	// Since asks for the messages after this position, oldest first. Nil asks for the
	// newest messages.
	Since *Position
	// Limit is the greatest number of messages; 0 asks for the position alone.
	Limit int
}

// HistoryPage is the result of a [HistoryQuery].
type HistoryPage struct {
	// Messages are in order of their offsets and without holes.
	Messages []*Message
	// Top is the newest position of the room.
	Top Position
	// Lost reports that Since is not in the log: it has another epoch, was trimmed, is
	// ahead of Top, or another message is at its offset. Messages are then the oldest
	// ones that the log has, up to Limit.
	Lost bool
	// More reports that Limit cut the messages off before Top.
	More bool
}

// Broker carries messages between the nodes and keeps the history. For each room it
// appends a message, sets its position and delivers it to the [Sink]s in one atomic step.
// So every node broadcasts the messages of a room in the order of their offsets. Methods
// may be called by several goroutines at once.
type Broker interface {
	// Publish stores m if o.Retention keeps messages, sets m.Position and delivers m to
	// every node that is attached to the room. The sink of this node may be called
	// before Publish returns. A message with Direct or Volatile is never stored, has no
	// position and does not change the room's log.
	Publish(ctx context.Context, m *Message, o PublishOptions) (Published, error)
	// Attach starts the delivery of a room's messages to this node's sink. When it has
	// returned, no message that is published afterwards is missed. Attach and Detach are
	// counted, so that their order between goroutines does not matter.
	Attach(ctx context.Context, channel string, r Retention) error
	// Detach undoes one Attach. It does not block.
	Detach(channel string)
	// History reads retained messages. With r.Size 0 the page is empty.
	History(ctx context.Context, channel string, r Retention, q HistoryQuery) (HistoryPage, error)
	// Close stops the broker. Later calls return [ErrClosed].
	Close() error
}

// PromptBroker is an optional interface of a [Broker]: no method but Close waits for anything, such
// as a network or a disk.
type PromptBroker interface{ Prompt() bool }

// FeedBroker is an optional interface of a [Broker]. A feed brings the messages that were
// published with its name in [PublishOptions] to every node that is attached to it, without
// history. The messages of one channel come in the order of the channel, except that a message
// may come late after a loss. What a node misses is not repeated: the node is notified with
// [FeedSink.FeedLost].
type FeedBroker interface {
	// AttachFeed starts the delivery of a feed to this node. When it has returned, no message
	// that is published afterwards is missed without a FeedLost. Attach and detach are counted.
	AttachFeed(ctx context.Context, feed string) error
	// DetachFeed undoes one AttachFeed. It does not block.
	DetachFeed(feed string)
}

// FeedSink is an optional interface of a [Sink]: it takes what feeds deliver. Its methods never
// block and may be called with a lock of the broker held.
type FeedSink interface {
	// Feed takes a message of a feed. It does not keep m itself.
	Feed(feed string, m *Message)
	// FeedLost notes that messages of a feed are missing here.
	FeedLost(feed string)
}

// Sink receives what a [Broker] delivers to this node. [*Hub] is one.
type Sink interface {
	// Broadcast sends the messages of one room, in order, to this node's connections.
	// It never blocks and may be called with a lock of the broker held.
	Broadcast(channel string, ms ...*Message)
}
