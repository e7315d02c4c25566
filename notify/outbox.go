package notify

import (
	"context"
	"errors"
	"time"
)

// ErrFenced is returned to a sender whose claim is over, because another sender has one or
// because the store has lost it. The sender must claim again.
var ErrFenced = errors.New("notify: the claim is over")

// ErrClosed is returned by an outbox that was closed.
var ErrClosed = errors.New("notify: closed")

// Outbox keeps events until each sink has them. Backends record most events themselves: a
// member that enters, a message, a change. What is here is for those events that the rest of
// the node reports, and for the senders. Methods may be called by several goroutines at once.
//
// Connect, Disconnect, Occupy and Vacate never block, and may be called with a lock held. They
// say what this node has. A repetition does nothing. The outbox records Occupied when the first
// node has a channel, and Vacated when no node has it any more. If a node stops without a
// word, because it crashed, the outbox notices and acts as if the node had disconnected and
// vacated everything that it had.
type Outbox interface {
	// Choose sets what is recorded from now on, and how much may wait for the sinks. With nil
	// nothing is recorded. When the choice has no type of connections any more, the outbox
	// forgets which connections this node has; likewise for channels.
	Choose(c *Choice, b Bounds)
	Connect(connection, user string)
	// Disconnect names the user again, because a client may sign in on an open connection.
	Disconnect(connection, user string)
	Occupy(channel string)
	Vacate(channel string)
	// Record records an event of a dialect, [CacheMiss] or [Counted], if it is chosen. It may block.
	Record(ctx context.Context, e Event) error
	// Queues are the parts of the outbox. Each has an order of its own. They never change.
	Queues() []Queue
	// Close stops the outbox. What is recorded stays, if the store outlives the process. Later
	// calls return [ErrClosed].
	Close() error
}

// Bounds limit what waits in one queue. Zero means the default.
type Bounds struct {
	Events int
	Bytes  int64
	// Keep is how long events are kept after the last sender has gone. It is longer than any
	// sender retries.
	Keep time.Duration
}

// The defaults of [Bounds].
const (
	DefaultBufferEvents = 100_000
	DefaultBufferBytes  = 64 << 20
)

// Queue is a part of an outbox. A sink is named by a text; it exists from its first Claim on,
// and then gets all events that are in the queue. An event leaves the queue when all sinks have
// it. A sink for which nobody claims the queue any more is forgotten after [SinkStays].
type Queue interface {
	// Claim makes a sender the only one of a sink for some time, or renews that. It returns a
	// zero Fence if another sender is the one.
	Claim(ctx context.Context, c Claim) (Claimed, error)
	// Next returns the oldest events that the sink does not have: at most so many, and not more
	// than so many bytes unless it is one event. Until Done it returns the same batch again,
	// also to the next sender. The batch is empty if there is nothing.
	Next(ctx context.Context, sink string, fence uint64, events, bytes int) (Batch, error)
	// Done says what became of the batch that Next has returned. The next batch follows it.
	Done(ctx context.Context, sink string, fence uint64, o Outcome) error
	// Release ends a claim, so that another sender need not wait for its end.
	Release(ctx context.Context, sink string, fence uint64) error
	// Wake returns a channel that gets a value when the sink may have something to send after
	// Next has returned nothing. Values may be missed: a sender also looks from time to time.
	Wake(sink string) <-chan struct{}
}

// Claim is a request to be the sender of a sink.
type Claim struct {
	Sink string
	// Owner is unique for each sender.
	Owner string
	// Lease is how long the claim holds without renewal.
	Lease time.Duration
	// Reopen lets a sink continue after [Refused].
	Reopen bool
}

// Claimed is the result of a [Claim].
type Claimed struct {
	// Fence identifies the claim. It is 0 if another sender has the sink.
	Fence uint64
	// Closed reports that the app wants no more events, see [Refused].
	Closed bool
	// Events and Bytes are how much is in the queue, for all sinks together. Oldest is the time
	// of the oldest event in it; zero if there is none.
	Events int
	Bytes  int64
	Oldest time.Time
}

// Batch is what one request sends.
type Batch struct {
	// ID is the same whenever this batch is returned, and no other batch has it.
	ID string
	// Formed is when the batch was returned first; the present for an empty one. Age is how long ago that was by the clock of
	// the store.
	Formed time.Time
	Age    time.Duration
	Events []Event
	// Held are earlier events that the sink holds back, see [Outcome]. An empty batch has them, too.
	Held []Event
}

// ReportLost puts a [Lost] event before the events of a batch, which are not empty. The event
// has no number of its own.
func (b *Batch) ReportLost(count int) {
	first := b.Events[0]
	lost := Event{ID: first.ID + "-lost", Type: Lost, Time: first.Time, Seq: first.Seq, Count: count}
	b.Events = append([]Event{lost}, b.Events...)
}

// Outcome is what became of a batch. The zero Outcome means that the app has it.
type Outcome struct {
	// Lost is how many events the app did not get because it did not accept the batch for too
	// long. The next batch of the sink starts with a [Lost] event that has this number.
	Lost int
	// Refused means that the app wants no more events. The sink gets none until a Claim with
	// Reopen. Each Claim before that removes what it kept in the queue.
	Refused bool
	// Held are the events that the sink holds back from now on, instead of those of [Batch]. Done
	// keeps them also if the batch is empty.
	Held []Event
}

// SinkStays is how long a sink for which nobody claims is kept while other sinks are claimed. The
// configuration does not have it any more.
const SinkStays = 10 * time.Minute
