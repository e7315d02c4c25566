package memory

import (
	"context"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// outboxSink is what an outbox keeps of a sink. The outbox's mu guards it.
type outboxSink struct {
	owner  string
	until  time.Time // end of the claim
	fence  uint64    // of the latest claim
	done   uint64    // the sink has the events up to this number
	end    uint64    // of the open batch; 0: there is none
	stored uint64    // the end that the journal has
	formed time.Time // when the open batch was
	given  int       // events that were given up since the last batch
	held   []notify.Event
	closed bool // the app wants no more events
	wake   chan struct{}
}

// sink returns what is kept of a sink; a new one if there is none. Needs mu.
func (o *Outbox) sink(name string) *outboxSink {
	s := o.sinks[name]
	if s == nil {
		s = &outboxSink{until: time.Now(), wake: make(chan struct{}, 1)}
		o.sinks[name] = s
	}
	return s
}

// wake wakes the senders of all sinks. Needs mu.
func (o *Outbox) wake() {
	for _, s := range o.sinks {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Wake implements [notify.Queue].
func (o *Outbox) Wake(sink string) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sink(sink).wake
}

// Claim implements [notify.Queue].
func (o *Outbox) Claim(ctx context.Context, c notify.Claim) (notify.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return notify.Claimed{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return notify.Claimed{}, notify.ErrClosed
	}
	s, now := o.sink(c.Sink), time.Now()
	if s.closed && c.Reopen {
		s.closed = false
		o.journal.sink(c.Sink)
	}
	o.forgetSinks(now)
	switch {
	case s.closed:
		return o.filled(notify.Claimed{Closed: true}), nil
	case s.owner != c.Owner && now.Before(s.until):
		return o.filled(notify.Claimed{}), nil
	case s.owner != c.Owner:
		s.owner = c.Owner
		s.fence++
	}
	s.until = now.Add(c.Lease)
	return o.filled(notify.Claimed{Fence: s.fence}), nil
}

func (o *Outbox) filled(c notify.Claimed) notify.Claimed {
	c.Events, c.Bytes = len(o.events), o.bytes
	if len(o.events) > 0 {
		c.Oldest = o.events[0].Time
	}
	return c
}

// forgetSinks forgets sinks that nobody claims any more. Needs mu.
func (o *Outbox) forgetSinks(now time.Time) {
	for name, s := range o.sinks {
		if now.Sub(s.until) > notify.SinkStays && !s.closed {
			delete(o.sinks, name)
			o.journal.sink(name)
		}
	}
	o.trim()
}

// held returns a sink whose claim is the one of a sender. Needs mu.
func (o *Outbox) held(name string, fence uint64) (*outboxSink, error) {
	s := o.sinks[name]
	switch {
	case o.closed:
		return nil, notify.ErrClosed
	case s == nil || s.fence != fence || s.owner == "":
		return nil, notify.ErrFenced
	}
	return s, nil
}

// Next implements [notify.Queue].
func (o *Outbox) Next(ctx context.Context, sink string, fence uint64, events, bytes int) (notify.Batch, error) {
	if err := ctx.Err(); err != nil {
		return notify.Batch{}, err
	}
	b, end, err := o.next(sink, fence, events, bytes)
	if err != nil || end == 0 {
		return b, err
	}
	// A crash must not give the number of the batch to another one.
	if err := o.journal.to.Sync(ctx); err != nil {
		return notify.Batch{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if s, err := o.held(sink, fence); err == nil {
		s.stored = end
	}
	return b, nil
}

// next is Next without the journal. If the journal does not have the end of the batch, next returns it.
func (o *Outbox) next(sink string, fence uint64, events, bytes int) (b notify.Batch, end uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := o.held(sink, fence)
	if err != nil {
		return b, 0, err
	}
	from := o.after(s.done)
	if from == len(o.events) {
		o.reportLost()
	}
	rest := o.events[from:]
	now := time.Now()
	if len(rest) == 0 {
		return notify.Batch{ID: o.name + "-held-" + strconv.FormatInt(now.UnixMicro(), 10), Formed: now.Truncate(time.Millisecond), Held: s.held}, 0, nil
	}
	if s.end == 0 {
		n, size := 0, 0
		for n < len(rest) && n < events && (n == 0 || size+rest[n].Bytes() <= bytes) {
			size += rest[n].Bytes()
			n++
		}
		s.end, s.formed = rest[n-1].Seq, now
		o.journal.sink(sink)
	}
	b = notify.Batch{ID: o.name + "-" + strconv.FormatUint(s.end, 10), Formed: s.formed.Truncate(time.Millisecond), Age: now.Sub(s.formed), Held: s.held}
	b.Events = slices.Clone(rest[:o.after(s.end)-from])
	if s.given > 0 {
		b.ReportLost(s.given)
	}
	if o.journal.to != nil && s.stored != s.end {
		end = s.end
	}
	return b, end, nil
}

// after returns the index of the first event behind a number. Needs mu.
func (o *Outbox) after(seq uint64) int {
	return sort.Search(len(o.events), func(i int) bool { return o.events[i].Seq > seq })
}

// Done implements [notify.Queue].
func (o *Outbox) Done(ctx context.Context, sink string, fence uint64, outcome notify.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := o.held(sink, fence)
	if err != nil {
		return err
	}
	s.held = outcome.Held
	switch {
	case outcome.Refused:
		s.closed, s.end, s.given, s.owner, s.until = true, 0, 0, "", time.Now()
	case s.end > 0:
		s.done, s.end, s.given = s.end, 0, outcome.Lost
	}
	o.journal.sink(sink)
	o.trim()
	return nil
}

// trim removes the events that all sinks have. Needs mu.
func (o *Outbox) trim() {
	if len(o.sinks) == 0 {
		return
	}
	done := o.seq
	for _, s := range o.sinks {
		if s.closed {
			s.done = o.seq
		}
		done = min(done, s.done)
	}
	o.drop(o.after(done))
}

// drop removes the oldest events. Needs mu.
func (o *Outbox) drop(n int) {
	if n == 0 {
		return
	}
	o.journal.trimmed = o.events[n-1].Seq
	for i := range o.events[:n] {
		o.bytes -= int64(o.events[i].Bytes())
	}
	clear(o.events[:n]) // so that nothing keeps their contents
	if o.events = o.events[n:]; len(o.events) == 0 {
		o.events = nil
	}
}

// Release implements [notify.Queue].
func (o *Outbox) Release(ctx context.Context, sink string, fence uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := o.held(sink, fence)
	if err == nil {
		s.owner, s.until = "", time.Now()
	}
	return err
}
