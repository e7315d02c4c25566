package presence

import (
	"context"
	"errors"
	"time"
)

// ErrClosed is returned by a tracker or store that was closed.
var ErrClosed = errors.New("presence: closed")

// Store keeps the members of rooms for all nodes. A node holds a member while it has
// connections of it. The member is present in the room while any node holds it. Calls are
// idempotent, so that a call whose result is unknown can be repeated.
//
// A store notifies the nodes that are attached to a room of each change through their
// [Sink]s, in one order per room: Entered when the first node holds a member, Left when no
// node holds it any more, Updated when it shows something else meanwhile. If several nodes
// hold a member, it shows the status of the highest [Rank], among equals the one written
// last, and the info written last that is not empty. Its owner is [Either] if they hold it
// with different owners.
//
// If a node stops without a Leave, because it crashed, the store notices and lets the
// members of the node leave.
//
// A tracker calls the methods for one room one after the other, except List and Has. Calls
// for different rooms run at the same time.
type Store interface {
	// Attach starts the delivery of a room's events to this node. When it has returned, no
	// event that happens afterwards is missed.
	Attach(ctx context.Context, channel string) error
	// Detach ends it. It does not block.
	Detach(channel string)
	// Enter notes that this node holds the members, and what they show here. It is also
	// called when the node held them already and they show something else. Keys do not
	// repeat.
	Enter(ctx context.Context, channel string, ms []*Member) error
	// Leave notes that this node no longer holds the members.
	Leave(ctx context.Context, channel string, ds []Departure) error
	// List reads the members of all nodes, in the ascending order of their keys as bytes.
	// It includes at least the events that this node got before the call.
	List(ctx context.Context, channel string, q Query) (Page, error)
	// Has reports whether a member is present on any node, with an owner that may be the given
	// one. It agrees with List.
	Has(ctx context.Context, channel, key string, as Owner) (bool, error)
	// Close stops the store. Later calls return [ErrClosed].
	Close() error
}

// Departure is a member that this node no longer holds.
type Departure struct {
	Key string
	// Ago is how long ago its last connection ended. It is not a time, because the clocks
	// of nodes differ.
	Ago time.Duration
}

// Query asks for members of a room.
type Query struct {
	// After asks for the keys after this one.
	After string
	// Limit is the greatest number of members; 0 asks for the count alone.
	Limit int
	// Offline asks for the remembered members as well.
	Offline bool
}

// Page is the result of a [Query].
type Page struct {
	Members []Listed
	// Count is the number of all members that are present.
	Count int
	// More reports that more members follow.
	More bool
	// Partial reports that the store could not be reached, and that the page has what
	// this node knows.
	Partial bool
}

// Listed is one member of a [Page].
type Listed struct {
	*Member
	// LastSeen is when the last connection of a remembered member ended; zero for a member
	// that is present.
	LastSeen time.Time
}

// Kind is what happened to a member.
type Kind uint8

// The kinds of an [Event].
const (
	Entered Kind = iota + 1
	Updated
	Left
)

// Event is a change of a room, over all nodes.
type Event struct {
	Kind Kind
	// Member is what the member shows now; if it left, what it showed before.
	Member *Member
}

// Sink receives what a [Store] delivers to this node. [*Tracker] is one. Its
// methods never block, and may be called with a lock of the store held.
type Sink interface {
	// Changed delivers events of a room, in order.
	Changed(channel string, evs ...Event)
	// Missed reports that events of a room may have been lost, so that the room must be
	// read again.
	Missed(channel string)
}
