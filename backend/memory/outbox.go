package memory

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// Outbox is a [notify.Outbox] for one process. What it holds ends with the process, unless it has a
// [Journal]. It has one queue and no goroutine.
type Outbox struct {
	// Static after NewOutbox.
	name string // of this outbox, in the ids of its events

	choice atomic.Pointer[notify.Choice]

	// Guarded by mu.
	mu          sync.Mutex
	closed      bool
	bounds      notify.Bounds
	events      []notify.Event // oldest first
	bytes       int64          // of events
	seq         uint64         // of the newest event
	lost        int            // events that were dropped since the newest one
	sinks       map[string]*outboxSink
	journal     journal
	connections map[string]struct{} // that were reported as connected
	channels    map[string]struct{} // that were reported as occupied
}

var (
	_ notify.Outbox = (*Outbox)(nil)
	_ notify.Queue  = (*Outbox)(nil)
)

// NewOutbox returns an empty outbox.
func NewOutbox() *Outbox {
	return &Outbox{
		name: strings.ToLower(rand.Text()[:8]), sinks: make(map[string]*outboxSink),
		connections: make(map[string]struct{}), channels: make(map[string]struct{}),
	}
}

// Choose implements [notify.Outbox].
func (o *Outbox) Choose(c *notify.Choice, b notify.Bounds) {
	if b.Events <= 0 {
		b.Events = notify.DefaultBufferEvents
	}
	if b.Bytes <= 0 {
		b.Bytes = notify.DefaultBufferBytes
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bounds = b
	o.choice.Store(c)
	if !c.Any(notify.Connected, notify.Disconnected) {
		o.forgetHolds(o.connections, false)
	}
	if !c.Any(notify.Occupied, notify.Vacated) {
		o.forgetHolds(o.channels, true)
	}
}

// forgetHolds forgets the connections or channels. Needs mu.
func (o *Outbox) forgetHolds(set map[string]struct{}, channels bool) {
	for name := range set {
		o.journal.hold(Hold{channels, name}, nil)
	}
	clear(set)
}

// Queues implements [notify.Outbox].
func (o *Outbox) Queues() []notify.Queue { return []notify.Queue{o} }

// Close implements [notify.Outbox].
func (o *Outbox) Close() error {
	var err error
	if j := o.journal.to; j != nil {
		err = j.Sync(context.Background())
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.events = true, nil
	return err
}

// wants reports whether an event is to be recorded. A nil outbox wants none.
func (o *Outbox) wants(t notify.Type, channel string) bool {
	return o != nil && o.choice.Load().Wants(t, channel)
}

// record appends an event that is wanted. It sets ID, Time and Seq.
func (o *Outbox) record(e notify.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.append(e)
}

// append is record with mu held.
func (o *Outbox) append(e notify.Event) {
	if o.closed {
		return
	}
	size := int64(e.Bytes())
	if len(o.events)+o.journal.count() >= o.bounds.Events || o.bytes+size > o.bounds.Bytes {
		o.lost++
		return
	}
	o.reportLost()
	o.push(e)
	o.wake()
}

// reportLost appends an event about those that were dropped. Needs mu.
func (o *Outbox) reportLost() {
	if o.lost > 0 {
		e := notify.Event{Type: notify.Lost, Count: o.lost}
		o.lost = 0
		o.push(e)
	}
}

// push appends an event, whatever the bounds are. The number of an event follows the clock, so
// that it is greater than those from before a restart. Needs mu.
func (o *Outbox) push(e notify.Event) {
	now := time.Now()
	o.seq = max(o.seq+1, uint64(now.UnixMicro()))
	e.ID, e.Seq, e.Time = o.name+"-"+strconv.FormatUint(o.seq, 10), o.seq, now.UTC().Truncate(time.Millisecond)
	o.bytes += int64(e.Bytes())
	if j := &o.journal; j.to != nil {
		j.waiting = append(j.waiting, waitingEvent{Event: e})
		j.to.Changed()
		return
	}
	o.events = append(o.events, e)
}

// Record implements [notify.Outbox].
func (o *Outbox) Record(_ context.Context, e notify.Event) error {
	if o.wants(e.Type, e.Channel) {
		o.record(e)
	}
	return nil
}

// Connect implements [notify.Outbox].
func (o *Outbox) Connect(connection, user string) {
	o.have(connection, true, notify.Event{Type: notify.Connected, Connection: connection, User: user})
}

// Disconnect implements [notify.Outbox].
func (o *Outbox) Disconnect(connection, user string) {
	o.have(connection, false, notify.Event{Type: notify.Disconnected, Connection: connection, User: user})
}

// Occupy implements [notify.Outbox].
func (o *Outbox) Occupy(channel string) {
	o.have(channel, true, notify.Event{Type: notify.Occupied, Channel: channel})
}

// Vacate implements [notify.Outbox].
func (o *Outbox) Vacate(channel string) {
	o.have(channel, false, notify.Event{Type: notify.Vacated, Channel: channel})
}

// have notes that this node has a connection or channel, or has it no more. It records the event
// if that is a change.
func (o *Outbox) have(name string, has bool, e notify.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	name = strings.Clone(name) // because it may be a part of a large frame
	set, counted := o.channels, o.choice.Load().Any(notify.Occupied, notify.Vacated)
	if e.Connection != "" {
		set, counted = o.connections, o.choice.Load().Any(notify.Connected, notify.Disconnected)
	}
	if _, had := set[name]; !counted || had == has {
		return
	}
	var user *string
	if has {
		set[name] = struct{}{}
		user = new(strings.Clone(e.User))
	} else {
		delete(set, name)
	}
	o.journal.hold(Hold{Channel: e.Connection == "", Name: name}, user)
	if o.wants(e.Type, e.Channel) {
		o.append(e)
	}
}
