package checker

import (
	"sync"
	"sync/atomic"
)

// Position is a place in a channel. Channels without history have none.
type Position struct {
	Epoch  string
	Offset uint64
}

// Message is a delivered message. ID names its content, and the subscriber finds it there.
// No two messages of a channel have the same ID.
type Message struct {
	Position Position
	ID       string
}

// Options say what a run may be expected to do.
type Options struct {
	// Lossless expects channels without positions to deliver every message, too. Set it if
	// no faults are injected and no reader is slow.
	Lossless bool
	// Rollback accepts that the store forgets acknowledged messages and gives their
	// positions to others, as a failover to a lagging replica does. A subscriber that saw
	// what was forgotten must still be told.
	Rollback bool
	// Examples is how many faults of a kind the report shows; 0 means 10. All faults are
	// counted.
	Examples int
}

// Checker collects what publishers and subscribers saw. [New] makes one.
type Checker struct {
	o   Options
	ids *ids
	// Orders what different goroutines did; not needed for each message.
	clock atomic.Uint64

	mu          sync.Mutex
	publishers  []*Publisher
	subscribers []*Subscriber
}

// New returns an empty checker.
func New(o Options) *Checker {
	if o.Examples <= 0 {
		o.Examples = 10
	}
	return &Checker{o: o, ids: newIDs()}
}

// Publisher returns the record of one publisher, which sends one message after the other.
// The name is for the report.
func (c *Checker) Publisher(name string) *Publisher {
	p := &Publisher{c: c, name: name, channels: make(map[string]*sendings)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publishers = append(c.publishers, p)
	return p
}

// Subscriber returns the record of one subscriber. It outlives connections: after a
// reconnect the same record goes on. The name is for the report.
func (c *Checker) Subscriber(name string) *Subscriber {
	s := &Subscriber{c: c, name: name, channels: make(map[string]*stream)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribers = append(c.subscribers, s)
	return s
}

// all returns the records so far.
func (c *Checker) all() ([]*Publisher, []*Subscriber) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.publishers[:len(c.publishers):len(c.publishers)], c.subscribers[:len(c.subscribers):len(c.subscribers)]
}

// Behind returns the number of open subscriptions that have not reached the greatest
// acknowledged position of their epoch. A run is over when it is 0, or when it should have
// been 0 for long enough. Channels without positions do not count.
func (c *Checker) Behind() (n int) {
	publishers, subscribers := c.all()
	tops := make(map[string]map[string]uint64)
	for _, p := range publishers {
		p.addTops(tops)
	}
	for _, s := range subscribers {
		n += s.behind(tops)
	}
	return n
}
