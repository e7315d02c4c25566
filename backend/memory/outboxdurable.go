package memory

import (
	"context"
	"maps"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

// Journal stores an outbox beyond the process: it takes what has changed with [Outbox.Collect],
// and says with [Outbox.Settle] whether that is stored. Senders see an event after that.
type Journal interface {
	// Changed says that there is something to collect. It does not block. The caller holds locks.
	Changed()
	// Sync waits until all is stored that has changed before.
	Sync(ctx context.Context) error
}

// Changes are what a [Journal] stores in one transaction.
type Changes struct {
	Events  []notify.Event // new ones
	Trimmed uint64         // the events up to this number are not needed
	Lost    int            // events that were dropped and not reported
	Sinks   map[string]*SavedSink
	Holds   map[Hold]*string // by hold: the user of a connection, or an empty text; nil: it is over
	Members map[MemberKey]*SavedMember
}

// Hold is a connection, or a channel, that was reported to the app as there.
type Hold struct {
	Channel bool
	Name    string
}

// SavedSink is a sink as a [Journal] keeps it.
type SavedSink struct {
	Done, End uint64
	Formed    time.Time
	Given     int
	Closed    bool
	Held      []notify.Event
}

// journal is what an outbox has for its [Journal]. The outbox's mu guards it.
type journal struct {
	to      Journal // nil: the outbox ends with the process; static once the outbox is used
	trimmed uint64
	waiting []waitingEvent // recorded and not collected
	storing []waitingEvent // collected and not settled
	dirty   struct {
		sinks   map[string]bool
		holds   map[Hold]*string
		members map[MemberKey]*SavedMember
	}
	taken Changes // collected and not settled
}

// waitingEvent is an event that is not stored.
type waitingEvent struct {
	notify.Event
	// bound says that the event reports a change of the same transaction, and does not take
	// place if the transaction fails.
	bound bool
}

func (j *journal) count() int { return len(j.waiting) + len(j.storing) }

// Keep makes the outbox store its changes with j, go on with the name that its events had, and hold
// what was kept. It is called before the outbox is used.
func (o *Outbox) Keep(j Journal, name string, kept Changes) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.name, o.journal.to, o.events, o.lost = name, j, kept.Events, kept.Lost
	o.journal.renew()
	for i := range o.events {
		o.bytes += int64(o.events[i].Bytes())
		o.seq = o.events[i].Seq
	}
	for name, k := range kept.Sinks {
		s := o.sink(name)
		s.done, s.end, s.stored, s.formed, s.given, s.closed, s.held = k.Done, k.End, k.End, k.Formed, k.Given, k.Closed, k.Held
		o.seq = max(o.seq, k.Done, k.End)
	}
	o.trim()
}

// EndHolds records that connections and channels are gone which the process before had. It is called
// when the outbox has its first choice.
func (o *Outbox) EndHolds(holds map[Hold]*string) {
	for h, user := range holds {
		o.mu.Lock()
		e := notify.Event{Type: notify.Vacated, Channel: h.Name}
		if !h.Channel {
			e = notify.Event{Type: notify.Disconnected, Connection: h.Name, User: *user}
		}
		o.journal.hold(h, nil)
		if o.wants(e.Type, e.Channel) {
			o.append(e)
		}
		o.mu.Unlock()
	}
}

func (j *journal) renew() {
	j.dirty.sinks, j.dirty.holds, j.dirty.members = make(map[string]bool), make(map[Hold]*string), make(map[MemberKey]*SavedMember)
}

// hold notes a change of a hold.
func (j *journal) hold(h Hold, user *string) {
	if j.to != nil {
		j.dirty.holds[h] = user
		j.to.Changed()
	}
}

// sink notes a change of a sink.
func (j *journal) sink(name string) {
	if j.to != nil {
		j.dirty.sinks[name] = true
		j.to.Changed()
	}
}

// Collect returns what is to be stored. The caller calls Settle before it collects again.
func (o *Outbox) Collect() Changes {
	o.mu.Lock()
	defer o.mu.Unlock()
	j := &o.journal
	c := Changes{Trimmed: j.trimmed, Lost: o.lost, Holds: j.dirty.holds, Members: j.dirty.members, Sinks: make(map[string]*SavedSink)}
	for name := range j.dirty.sinks {
		c.Sinks[name] = nil
		if s := o.sinks[name]; s != nil {
			c.Sinks[name] = &SavedSink{Done: s.done, End: s.end, Formed: s.formed, Given: s.given, Closed: s.closed, Held: s.held}
		}
	}
	j.storing, j.waiting = j.waiting, nil
	for i := range j.storing {
		c.Events = append(c.Events, j.storing[i].Event)
	}
	j.taken = c
	j.renew()
	return c
}

// Settle ends a transaction, in which Collect may have been called. If it has failed, the events of its
// changes are dropped and all others wait for the next one.
func (o *Outbox) Settle(stored bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	j := &o.journal
	taken := j.taken
	j.taken = Changes{}
	if stored {
		o.events = append(o.events, taken.Events...)
		j.storing = nil
		if len(taken.Events) > 0 {
			o.wake()
		}
		return
	}
	all := append(j.storing, j.waiting...)
	j.storing, j.waiting = nil, nil
	for _, e := range all {
		if e.bound {
			o.bytes -= int64(e.Bytes())
		} else {
			j.waiting = append(j.waiting, e)
		}
	}
	for name := range taken.Sinks {
		j.dirty.sinks[name] = true
	}
	if taken.Holds != nil { // it was collected; what is newer counts
		maps.Copy(taken.Holds, j.dirty.holds)
		maps.Copy(taken.Members, j.dirty.members)
		j.dirty.holds, j.dirty.members = taken.Holds, taken.Members
	}
}

// Waits reports whether there is something to collect.
func (o *Outbox) Waits() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := &o.journal.dirty
	return len(o.journal.waiting)+len(d.sinks)+len(d.holds)+len(d.members) > 0
}

// Tidy forgets sinks that nobody claims, and the events if nobody wants any.
func (o *Outbox) Tidy(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.forgetSinks(now)
	if len(o.sinks) == 0 && o.choice.Load() == nil {
		o.drop(len(o.events))
	}
}

// RecordStoring records a message that the running transaction stores, see [Broker.Place].
func (o *Outbox) RecordStoring(m *hub.Message) {
	if e, ok := o.messageEvent(m); ok {
		o.recordBound(e)
	}
}

// RecordStoringChange records a change of a document that the running transaction stores.
func (o *Outbox) RecordStoringChange(channel string, entry *document.Entry) {
	if e, ok := o.changeEvent(channel, entry); ok {
		o.recordBound(e)
	}
}

// recordBound is record for an event that takes place if the running transaction does.
func (o *Outbox) recordBound(e notify.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.journal.waiting)
	if o.append(e); len(o.journal.waiting) > n { // the last one; a report of losses may be before it
		o.journal.waiting[len(o.journal.waiting)-1].bound = true
	}
}
