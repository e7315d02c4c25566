package hub

// deliver sends a broadcast to a member.
func (c *Conn) deliver(s *subscription, b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ending || s.phase == gone:
	case s.phase == joining:
		set := c.hub.settings.Load()
		s.held.hold(b.eventsFor(s), set.QueueMessages, set.QueueBytes)
	case c.takesSharedBytes(s) && b.isWholeFor(s):
		c.writeShared(s, b)
		if s.sieve != nil {
			s.passed(b.end())
		}
		if s.track != nil {
			s.sentUpTo(b.end())
		}
		c.pump()
	default:
		before := c.sent.Messages
		c.deliverEach(s, b, 0)
		c.pump()
		if c.idle() {
			b.written += int(c.sent.Messages - before)
		}
	}
}

// takesSharedBytes reports whether the shared bytes of a batch can be written to the
// transport as they are, without the queue.
func (c *Conn) takesSharedBytes(s *subscription) bool {
	return c.try != nil && !c.stamps && s.from.IsZero() && !s.gap && c.idle()
}

// idle reports whether everything is written.
func (c *Conn) idle() bool { return c.nothingQueued() && c.corked == nil }

func (c *Conn) nothingQueued() bool {
	return !c.flushing && len(c.unwritten) == 0 && c.queue.empty()
}

// writeShared writes the shared bytes of a batch to an idle connection. To the connection
// whose goroutine broadcasts they are written together with the reply. Needs mu.
func (c *Conn) writeShared(s *subscription, b *batch) {
	f := b.form(c)
	if c.cork(f, b) {
		c.countWritten(b)
		return
	}
	n, err := c.try.TryWrite(f.bytes)
	c.countBytes(n)
	switch {
	case err != nil:
		c.endLost()
	case n < len(f.bytes):
		c.queueRest(s, b, n)
	default:
		c.countWritten(b)
	}
}

// countWritten counts a batch of which the connection got every event. Needs mu.
func (c *Conn) countWritten(b *batch) {
	c.sent.Messages += uint64(b.messages)
	b.written += b.messages
}

// queueRest queues what follows the n bytes of a batch that the transport has taken. If
// they end in the middle of an event, its rest must follow. The events behind it are
// queued under the limits of the queue.
func (c *Conn) queueRest(s *subscription, b *batch, n int) {
	f := b.form(c)
	i, in := f.cut(n)
	if in {
		c.unwritten = f.keep(i)[n-f.start(i):] // shared with other connections
		if m, ok := b.events[i].(*Message); ok && !m.unplaced() {
			c.noteFlight(m)
		}
		i++
	}
	c.sent.Messages += b.messagesBefore(i)
	c.deliverEach(s, b, i)
}

// deliverEach queues the events of a batch, starting at index from.
func (c *Conn) deliverEach(s *subscription, b *batch, from int) {
	for i := from; i < len(b.events); i++ {
		ev := b.events[i]
		switch ev := ev.(type) {
		case *Message:
			if !ev.unplaced() && !c.startAt(s, ev.Position) {
				continue
			}
			if !s.addressed(ev) {
				s.advance(ev.Position)
				continue
			}
			if s.sieve != nil && !b.verdict(s.sieve.selector).passes[i] {
				if ev.Direct == nil {
					c.passOver(s, ev, b.often)
				}
				s.advance(ev.Position)
				continue
			}
			s.passed(ev.Position)
		case Gap:
			if ev.Position.Epoch == s.from.Epoch && ev.Position.Offset <= s.from.Offset && !s.from.IsZero() {
				continue // the subscription started behind what is missing
			}
			if !s.from.IsZero() && !ev.Position.IsZero() {
				s.from = ev.Position // the client learns of the loss up to here
			}
			s.passed(ev.Position)
			s.advance(ev.Position)
			c.breakTrail()
		default:
			if !s.concerned(ev) {
				continue
			}
			if p, ok := ev.(Personal); ok {
				if own := p.For(c.ID()); own != nil {
					c.enqueue(s, own, c.encoder.AppendEvent(nil, own), b.slow)
					continue
				}
			}
		}
		c.enqueue(s, ev, b.form(c).keepFor(s, i), b.slow)
		if m, ok := ev.(*Message); ok {
			s.sentUpTo(m.Position)
		}
	}
}

// startAt compares a message with the position at which a subscription started, and reports
// whether the message is to be delivered. After the first such message the order of the
// room is enough.
func (c *Conn) startAt(s *subscription, p Position) bool {
	wanted, hole := positionFits(s.from, p)
	if !wanted {
		return false
	}
	if hole {
		c.countGap(GapLost)
		gap := Gap{s.channel, Position{Epoch: p.Epoch, Offset: p.Offset - 1}}
		c.enqueue(s, gap, c.encoder.AppendEvent(nil, gap), SlowDisconnect)
	}
	s.from = Position{}
	return true
}
