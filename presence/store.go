package presence

import (
	"context"
	"errors"
	"time"
)

// ErrClosed is returned by a tracker or store that was closed.
var ErrClosed = errors.New("presence: closed")

// Store keeps the members of rooms for all nodes. A node holds a member while it
// has connections of it; the member is present in the room while any node holds
// it. What a store is told is idempotent, so that a call with an unknown outcome
// can be repeated.
//
// A store tells the nodes that are attached to a room of each change, in one
// order per room, through their [Sink]s: entered for the first node that holds a
// member, left when the last one no longer does, updated when what the member
// shows changes in between. If several nodes hold a member, it shows the status
// of the highest [Rank], the one written last among equals, and the info written
// last that is not empty.
//
// A node that stops without leaving (it crashed) is noticed by the store, which
// then leaves for it.
//
// A tracker calls the methods for one room, List and Has excepted, one after the
// other; those for different rooms come at the same time.
type Store interface {
	// Attach begins the delivery of a room's events to this node and returns when
	// nothing that happens from now on can be missed.
	Attach(ctx context.Context, channel string) error
	// Detach ends it. It does not block.
	Detach(channel string)
	// Enter says that this node holds the members and what they show here; also
	// when it held them already and only that has changed. Keys do not repeat.
	Enter(ctx context.Context, channel string, ms []*Member) error
	// Leave says that this node no longer holds the members.
	Leave(ctx context.Context, channel string, ds []Departure) error
	// List reads members, whoever holds them, in the ascending order of their keys
	// as bytes. It includes at least what this node was told before the call.
	List(ctx context.Context, channel string, q Query) (Page, error)
	// Has reports whether a member is present, whoever holds it; as soon as List
	// would list it.
	Has(ctx context.Context, channel, key string) (bool, error)
	// Close stops the store. Later calls return [ErrClosed].
	Close() error
}

// Departure is a member that is no longer held.
type Departure struct {
	Key string
	// Ago is how long ago its last connection ended. A distance rather than a time,
	// because the clocks of nodes differ.
	Ago time.Duration
}

// Query asks for members of a room.
type Query struct {
	// After asks for the keys behind this one.
	After string
	// Limit is the greatest number of members; 0 asks for the count alone.
	Limit int
	// Offline asks for the remembered members as well.
	Offline bool
}

// Page is the answer to a [Query].
type Page struct {
	Members []Listed
	// Count is how many members are present, whatever the query asks for.
	Count int
	// More reports that there are members behind the last one.
	More bool
	// Partial reports that the store could not be reached, and that this is what
	// this node knows.
	Partial bool
}

// Listed is one member of a [Page].
type Listed struct {
	*Member
	// LastSeen is when the last connection of a remembered member ended; zero for
	// those who are present.
	LastSeen time.Time
}

// Kind says what happened to a member.
type Kind uint8

// The kinds of an [Event].
const (
	Entered Kind = iota + 1
	Updated
	Left
)

// Event is a change of a room, cluster-wide.
type Event struct {
	Kind Kind
	// Member is what it shows now; after it left, what it showed.
	Member *Member
}

// Sink receives what a [Store] delivers to this node. [*Tracker] is one. Its
// methods never block, and may be called with a lock of the store held.
type Sink interface {
	// Changed hands over events of a room, in order.
	Changed(channel string, evs ...Event)
	// Missed says that events of a room may have been lost, so that it must be read
	// again.
	Missed(channel string)
}
