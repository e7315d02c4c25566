package notify

import (
	"encoding/json"
	"time"
)

// Type is what an event reports.
type Type string

// The types of an [Event].
const (
	// Connected and Disconnected are about connections. Each connection is reported once
	// with each, also when its node died.
	Connected    Type = "connected"
	Disconnected Type = "disconnected"
	// Occupied is recorded when the first connection of all nodes subscribes to a channel,
	// Vacated when the last one is gone.
	Occupied Type = "occupied"
	Vacated  Type = "vacated"
	// Entered and Left are about the members of rooms with presence.
	Entered Type = "entered"
	Left    Type = "left"
	// Message is a published message, Changed an accepted change of a document.
	Message Type = "message"
	Changed Type = "changed"
	// CacheMiss is recorded when a client subscribes to a channel that should have an event for it and
	// has none. Only dialects know that.
	CacheMiss Type = "cache_miss"
	// Counted is recorded when the number of subscriptions of a channel has changed. Only for channels of
	// dialects that ask for it is the number known.
	Counted Type = "counted"
	// Lost says that events are missing here. It can not be chosen: every sink gets it.
	Lost Type = "lost"
)

// Types are the types that can be chosen for `notify`, in the order of the documentation.
var Types = []Type{Connected, Disconnected, Occupied, Vacated, Entered, Left, Message, Changed}

// Event is what happened. Which fields it has depends on its type.
type Event struct {
	// ID is the same whenever the event is delivered.
	ID      string `json:"id"`
	Type    Type   `json:"type"`
	Channel string `json:"channel,omitempty"`
	// User is the id of the user. For a member that is anonymous it is the id of the
	// connection.
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
	// Time is when the event was recorded.
	Time time.Time `json:"time"`
	// Seq grows with each event of a channel or connection, in steps of any size.
	Seq uint64 `json:"seq"`

	// Status and Info are what a member shows.
	Status string          `json:"status,omitempty"`
	Info   json.RawMessage `json:"info,omitempty"`

	// Sender is who published a message or made a change: a user, or the connection of an
	// anonymous client. It is empty for the app.
	Sender string `json:"sender,omitempty"`
	// Event, Content, To, Epoch and Offset are those of a message. Epoch and Offset are empty
	// without history.
	Event   string          `json:"event,omitempty"`
	Content json.RawMessage `json:"content,omitempty"`
	To      *Address        `json:"to,omitempty"`
	Epoch   string          `json:"epoch,omitempty"`
	Offset  uint64          `json:"offset,omitempty"`
	// Except is the connection that did not get the message. Only dialects use it.
	Except string `json:"-"`

	// Version and Patch are those of a change.
	Version uint64          `json:"version,omitempty"`
	Patch   json.RawMessage `json:"patch,omitempty"`

	// Count is how many events were lost, or how many subscriptions a channel has.
	Count int `json:"count,omitempty"`
}

// Address is the member to which a message was sent.
type Address struct {
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
}

// eventBytes is about how much an event takes besides its texts, in an outbox and in a request.
const eventBytes = 160

// Bytes is about how much memory the event takes in an outbox, and how large it is in a request.
func (e *Event) Bytes() int {
	n := eventBytes + len(e.Channel) + len(e.User) + len(e.Connection) + len(e.Status) + len(e.Info) +
		len(e.Sender) + len(e.Event) + len(e.Content) + len(e.Epoch) + len(e.Patch)
	if e.To != nil {
		n += len(e.To.User) + len(e.To.Connection)
	}
	return n
}
