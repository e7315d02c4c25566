package client

import "sync/atomic"

// Flight counts the copies of messages that are still under way. A sender has at most
// [window] messages in flight.
type Flight struct {
	// Landed gets a sender for each message of it of which all copies arrived.
	Landed []chan struct{}
	left   [][window]atomic.Int32 // by sender, and number of the message
}

const window = 64

// NewFlight watches the messages of so many senders. It must be given to [Group.Watch].
func NewFlight(senders int) *Flight {
	f := &Flight{Landed: make([]chan struct{}, senders), left: make([][window]atomic.Int32, senders)}
	for i := range f.Landed {
		f.Landed[i] = make(chan struct{}, window)
	}
	return f
}

// Watch makes the group tell f about each copy that arrives.
func (g *Group) Watch(f *Flight) { g.flight.Store(f) }

// Start notes a message before it is sent, and how many copies will arrive.
func (f *Flight) Start(sender, seq uint32, copies int) {
	f.left[sender][seq%window].Store(int32(copies))
}

// Arrive notes that a copy arrived.
func (f *Flight) Arrive(s Stamp) {
	if int(s.Sender) < len(f.left) && f.left[s.Sender][s.Seq%window].Add(-1) == 0 {
		f.Landed[s.Sender] <- struct{}{}
	}
}
