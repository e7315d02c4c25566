package hub

// batch is what one broadcast sends to the members of a room. It is encoded when the
// first member needs it, once for each Encoder.
type batch struct {
	events    []Event
	slow      Slow
	selective bool  // some events are for a part of the members, or differ between members
	direct    int   // how many events are messages to one member
	messages  int   // how many events are messages
	publisher *Conn // the connection whose goroutine broadcasts; nil if that is no publisher
	first     form  // almost all rooms have connections of one kind
	more      []*form
	// written is how many messages were written to members, those that wait in a queue not
	// counted.
	written int
	often   int // see passOver

	// The answers of the Selectors that were asked; nil as long as no member has one.
	asked       map[Selector]*verdict
	scratch     []any // by event, see Selector
	lastAsked   Selector
	lastVerdict *verdict
}

func newBatch(events []Event, slow Slow) batch {
	b := batch{events: events, slow: slow}
	for _, ev := range events {
		switch ev := ev.(type) {
		case *Message:
			b.messages++
			if ev.Direct != nil {
				b.direct++
			}
			b.selective = b.selective || ev.Direct != nil || ev.Except != ""
		case Selective, Personal, Numbered:
			b.selective = true
		}
	}
	return b
}

// skips reports whether the batch has only messages to other members than that of s. This quick
// check keeps a message to one member of a large room cheap.
func (b *batch) skips(s *subscription) bool {
	return b.direct == len(b.events) && !s.addressedAny(b.events)
}

// isWholeFor reports whether a member gets every event of the batch as it is. So one event
// that differs for one member costs the others nothing.
func (b *batch) isWholeFor(s *subscription) bool {
	if s.sieve != nil && !b.verdict(s.sieve.selector).all {
		return false
	}
	if !b.selective {
		return true
	}
	for _, ev := range b.events {
		if !s.getsAsIs(ev) {
			return false
		}
	}
	return true
}

// end returns the position of the last message that has one.
func (b *batch) end() (p Position) {
	for i := len(b.events) - 1; i >= 0; i-- {
		if m, ok := b.events[i].(*Message); ok && !m.Position.IsZero() {
			return m.Position
		}
	}
	return p
}

// getsAsIs reports whether a subscription gets an event unchanged.
func (s *subscription) getsAsIs(ev Event) bool {
	if !s.addressed(ev) || !s.concerned(ev) {
		return false
	}
	if p, ok := ev.(Personal); ok {
		return p.For(s.conn.ID()) == nil
	}
	return true
}

// eventsFor returns the events without the messages to other members.
func (b *batch) eventsFor(s *subscription) []Event {
	if b.direct == 0 {
		return b.events
	}
	var own []Event
	for _, ev := range b.events {
		if s.addressed(ev) {
			own = append(own, ev)
		}
	}
	return own
}

// form returns the batch in the bytes of the connection's Encoder.
func (b *batch) form(c *Conn) *form {
	if b.first.encoder == nil {
		b.first.encode(c, b)
	}
	if b.first.encoder == c.encoder {
		return &b.first
	}
	for _, f := range b.more {
		if f.encoder == c.encoder {
			return f
		}
	}
	f := new(form)
	f.encode(c, b)
	b.more = append(b.more, f)
	return f
}

// release gives the buffers of the batch back. It is called when no member needs it any more.
func (b *batch) release() {
	b.first.release()
	for _, f := range b.more {
		f.release()
	}
}
