package hub

// Kind says what a connection is, for the figures of an operator. Both are words of the
// server, so that there are few kinds.
type Kind struct{ Transport, Dialect string }

// Sent is what connections were sent.
type Sent struct {
	// Messages counts messages of rooms that were written or queued. A message that was
	// dropped from the queue later counts as well.
	Messages uint64
	// Bytes counts all bytes that were handed to the transport.
	Bytes uint64
}

func (s Sent) plus(o Sent) Sent { return Sent{s.Messages + o.Messages, s.Bytes + o.Bytes} }

// ConnStats are figures about all connections of this node, without observers.
type ConnStats struct {
	Kinds map[Kind]KindStats
	// Fullest is how full the fullest queue is, as a part of its bound: from 0 to 1, or above
	// for a single frame that is larger than the bound.
	Fullest float64
}

// KindStats are figures about the connections of one kind.
type KindStats struct {
	// Connections is how many there are now.
	Connections int
	// QueuedMessages and QueuedBytes are what waits in their queues now.
	QueuedMessages, QueuedBytes int
	// Sent is what they were sent, with those that have ended.
	Sent
}

// Sent returns what the connection was sent so far. Each connection counts under its own
// lock, which a delivery holds anyway: so counting costs no shared cache line, and whoever
// wants sums visits the connections.
func (c *Conn) Sent() Sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// countBytes counts a write. Needs mu.
func (c *Conn) countBytes(n int) {
	if !c.settled {
		c.sent.Bytes += uint64(n)
	}
}

// settle moves what an ended connection was sent to the past of its slot. From then on its
// own figures do not change: a sum that has them from the connection must not differ from one
// that has them from the past.
func (c *Conn) settle() { c.hub.beat.remove(c, c.lastSent()) }

func (c *Conn) lastSent() Sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = true
	return c.sent
}

// ConnStats returns the current figures about connections. It visits all of them, so it is
// for a caller that asks every few seconds.
func (h *Hub) ConnStats() ConnStats {
	s := ConnStats{Kinds: make(map[Kind]KindStats)}
	h.beat.count(&s)
	return s
}

// count adds the connections to s. It locks one slot at a time, so that no connection is
// held up for long. Within a slot a connection counts either by itself or in the past.
func (b *heartbeat) count(s *ConnStats) {
	limits := b.hub.Settings()
	for slot := range b.slots {
		for _, c := range b.countPast(slot, s) {
			if !c.observer {
				c.count(s, limits)
			}
		}
	}
}

// countPast adds the past of a slot to s, and returns its connections.
func (b *heartbeat) countPast(slot int, s *ConnStats) []*Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	for kind, past := range b.past[slot] {
		k := s.Kinds[kind]
		k.Sent = k.Sent.plus(past)
		s.Kinds[kind] = k
	}
	return append([]*Conn(nil), b.slots[slot]...)
}

func (c *Conn) count(s *ConnStats, limits Settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := c.kind.Value()
	k := s.Kinds[kind]
	k.Sent = k.Sent.plus(c.sent)
	if !c.ending {
		k.Connections++
	}
	bytes := c.queue.bytes + len(c.unwritten)
	k.QueuedMessages += int(c.queue.count)
	k.QueuedBytes += bytes
	s.Kinds[kind] = k
	s.Fullest = max(s.Fullest, float64(c.queue.count)/float64(limits.QueueMessages), float64(bytes)/float64(limits.QueueBytes))
}

// messagesBefore returns how many of the first n events are messages.
func (b *batch) messagesBefore(n int) (messages uint64) {
	for _, ev := range b.events[:n] {
		if _, ok := ev.(*Message); ok {
			messages++
		}
	}
	return messages
}
