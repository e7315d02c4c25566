package hub

import "time"

// Selector chooses the messages that a subscription gets. A room asks equal Selectors (compared
// with ==) once for each message, so a Selector must be comparable.
type Selector interface {
	// Passes reports whether a subscription with this Selector gets m. scratch belongs to m and
	// is shared by all Selectors that look at m in one broadcast: it is nil at first, and a
	// Selector may keep there what it has made of m. Passes must neither block nor call the
	// hub. It is called with the lock of a connection held. A panic counts as no.
	Passes(m *Message, scratch *any) bool
}

// Progress notifies a connection how far a channel is for it: the messages up to Position did not
// pass its Selector, and nothing was lost. So it need not recover from an older position.
type Progress struct {
	Channel  string
	Position Position
}

// progressPause is the least time between two [Progress] of a subscription, unless a heartbeat
// takes one along.
const progressPause = time.Second

// sieve is the state of a subscription with a Selector. Guarded by conn.mu.
type sieve struct {
	selector Selector
	reached  Position      // of the newest message that did not pass; zero if the client knows
	skipped  int           // how many messages the client does not know of
	told     time.Duration // when the last Progress was sent, on the heartbeat's clock
}

// Select changes the Selector of a subscription; nil delivers everything. reply is queued at the
// same point: what comes before it was chosen by the old Selector, what follows by the new one.
// Select returns false if the connection is not in the room.
func (h *Hub) Select(c *Conn, channel string, to Selector, reply ...Event) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.subscription(channel)
	if s == nil {
		return false
	}
	switch {
	case to == nil:
		c.tellProgress(s)
		s.sieve = nil
	case s.sieve == nil:
		s.sieve = &sieve{selector: to}
	default:
		s.sieve.selector = to
	}
	for _, ev := range reply {
		c.reply(ev)
	}
	c.pump()
	return true
}

// passOver notes that a message did not pass. often is after how many such messages the client is
// notified between two heartbeats; 0 means never. Needs mu.
func (c *Conn) passOver(s *subscription, m *Message, often int) {
	if m.Position.IsZero() {
		return
	}
	v := s.sieve
	v.reached = m.Position
	v.skipped++
	if often > 0 && v.skipped >= often && c.nothingQueued() && c.hub.beat.now()-v.told >= progressPause {
		c.tellProgress(s)
	}
}

// passed notes that the client gets an event. One without a position does not say how far the channel
// is. Needs mu.
func (s *subscription) passed(p Position) {
	if v := s.sieve; v != nil && !p.IsZero() && !p.Before(v.reached) {
		v.reached, v.skipped = Position{}, 0
	}
}

// tellProgress queues a Progress if the client does not know how far the channel is. Needs mu.
func (c *Conn) tellProgress(s *subscription) {
	v := s.sieve
	if v == nil || v.reached.IsZero() || c.ending {
		return
	}
	ev := Progress{s.channel, v.reached}
	v.reached, v.skipped, v.told = Position{}, 0, c.hub.beat.now()
	c.queue.push(item{frame: c.encoder.AppendEvent(nil, ev), sub: s, progress: &ev, exempt: true})
}

// tellAllProgress is tellProgress for all subscriptions. Needs mu.
func (c *Conn) tellAllProgress() {
	for _, s := range c.subs {
		c.tellProgress(s)
	}
}

// verdict says which messages of a batch pass a Selector.
type verdict struct {
	all    bool
	passes []bool // by event; not used with all
}

// verdict asks a Selector about all messages of the batch, unless an equal one was asked before.
func (b *batch) verdict(by Selector) *verdict {
	if b.asked != nil && b.lastAsked == by {
		return b.lastVerdict
	}
	v := b.asked[by]
	if v == nil {
		v = b.ask(by)
	}
	b.lastAsked, b.lastVerdict = by, v
	return v
}

func (b *batch) ask(by Selector) *verdict {
	if b.asked == nil {
		b.asked, b.scratch = make(map[Selector]*verdict), make([]any, len(b.events))
	}
	v := &verdict{all: true, passes: make([]bool, len(b.events))}
	for i, ev := range b.events {
		m, ok := ev.(*Message)
		v.passes[i] = !ok || passes(by, m, &b.scratch[i])
		v.all = v.all && v.passes[i]
	}
	b.asked[by] = v
	return v
}

// passes asks a Selector. A panic counts as no: it would come up again for each subscription.
func passes(by Selector, m *Message, scratch *any) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return by.Passes(m, scratch)
}

// Selected returns the messages that pass; all of them without a Selector.
func Selected(ms []*Message, by Selector) []*Message {
	if by == nil {
		return ms
	}
	var own []*Message
	for _, m := range ms {
		if passes(by, m, new(any)) {
			own = append(own, m)
		}
	}
	return own
}
