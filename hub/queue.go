package hub

// item is one queued frame.
type item struct {
	frame []byte
	sub   *subscription // whose room it came from; nil for replies and control frames
	msg   *Message      // set when the room's slow policy may drop it
	gap   *Gap          // set for a gap, so that a Stamper can stamp it
	// progress is set for a Progress, for the Stamper too. Where messages were dropped it is
	// not sent: the gap says more.
	progress *Progress
	// exempt frames do not count against the number of messages: those of a replay, which
	// has a bound of its own, heartbeats and the close.
	exempt bool
}

// droppable reports whether the slow policy of a subscription may drop the item.
func (it *item) droppable() bool { return it.sub != nil && it.msg != nil }

// place is the number of a slot in a queue; 0 means none.
type place int32

// slot holds an item and its neighbours in the queue. In a droppable item same is the next
// item of its subscription: so dropping the oldest costs the same in a long queue. A free
// slot has only next.
type slot struct {
	item
	prev, next, same place
}

// chain lists the droppable items of a subscription.
type chain struct{ first, last place }

// queue holds the frames for one connection, oldest first. An empty queue holds no memory.
type queue struct {
	slots       []slot
	first, last place
	free        place // the first of the free slots
	count       int32 // items that are not exempt
	bytes       int
}

func (q *queue) empty() bool { return q.first == 0 }

func (q *queue) at(p place) *slot { return &q.slots[p-1] }

func (q *queue) push(it item) {
	if len(it.frame) == 0 {
		return // the event has no form in this dialect
	}
	p := q.add(slot{item: it, prev: q.last})
	if q.last == 0 {
		q.first = p
	} else {
		q.at(q.last).next = p
	}
	q.last = p
	if it.droppable() {
		q.chain(&it.sub.queued, p)
	}
	q.bytes += len(it.frame)
	if !it.exempt {
		q.count++
	}
}

// add puts s into a free slot.
func (q *queue) add(s slot) place {
	if p := q.free; p != 0 {
		q.free = q.at(p).next
		*q.at(p) = s
		return p
	}
	q.slots = append(q.slots, s)
	return place(len(q.slots))
}

func (q *queue) chain(c *chain, p place) {
	if c.first == 0 {
		c.first = p
	} else {
		q.at(c.last).same = p
	}
	c.last = p
}

// shift removes and returns the oldest item of a queue that is not empty.
func (q *queue) shift() item { return q.remove(q.first) }

// drop removes the oldest message of a subscription and returns it, or nil if there is
// none.
func (q *queue) drop(s *subscription) *Message {
	if s.queued.first == 0 {
		return nil
	}
	return q.remove(s.queued.first).msg
}

// remove removes an item. If it is droppable, it is the oldest of its subscription.
func (q *queue) remove(p place) item {
	it := *q.at(p)
	if it.droppable() {
		if it.sub.queued.first = it.same; it.same == 0 {
			it.sub.queued.last = 0
		}
	}
	q.unlink(p)
	q.bytes -= len(it.frame)
	if !it.exempt {
		q.count--
	}
	return it.item
}

// unlink frees a slot.
func (q *queue) unlink(p place) {
	it := *q.at(p)
	if it.prev == 0 {
		q.first = it.next
	} else {
		q.at(it.prev).next = it.next
	}
	if it.next == 0 {
		q.last = it.prev
	} else {
		q.at(it.next).prev = it.prev
	}
	*q.at(p) = slot{next: q.free}
	if q.free = p; q.first == 0 {
		q.slots, q.free = nil, 0
	}
}

// enqueue queues an event under the limits of the queue and the slow policy of the room. It
// drops nothing of another room or connection. Needs mu.
func (c *Conn) enqueue(s *subscription, ev Event, frame []byte, slow Slow) {
	if len(frame) == 0 || c.ending {
		return
	}
	if c.observer {
		slow = SlowDropOldest
	}
	it, messages := item{frame: frame, sub: s}, uint64(0)
	switch ev := ev.(type) {
	case *Message:
		messages = 1
		if !ev.unplaced() {
			it.msg = ev
		} else if (slow != SlowDisconnect || ev.Volatile) && c.full(len(frame)) {
			c.countDropped(slow)
			return // dropped: such a message replaces no other and leaves no gap
		}
	case Gap:
		it.gap = &ev
	}
	if slow == SlowLatest && s != nil && it.msg != nil {
		c.dropAll(s)
	}
	for c.full(len(frame)) {
		if slow != SlowDropOldest || s == nil || it.msg == nil {
			c.end(ReasonSlow)
			return
		}
		if !c.dropOldest(s) {
			// Other rooms fill the queue, so the new message is dropped.
			c.noteMissed(s, it.msg)
			c.countDropped(slow)
			return
		}
	}
	c.queue.push(it)
	c.sent.Messages += messages
}

func (c *Conn) full(more int) bool {
	return int(c.queue.count)+1 > c.hub.settings.Load().QueueMessages || c.bytesFull(more)
}

// bytesFull reports whether the queue has no space for so many more bytes. A frame of any
// size fits into an empty queue.
func (c *Conn) bytesFull(more int) bool {
	held := c.queue.bytes + len(c.unwritten)
	return held > 0 && held+more > c.hub.settings.Load().QueueBytes
}

func (c *Conn) dropOldest(s *subscription) bool {
	m := c.queue.drop(s)
	if m == nil {
		return false
	}
	c.noteMissed(s, m)
	c.countDropped(SlowDropOldest)
	return true
}

// dropAll drops the queued messages of a channel, of which only the newest counts. In a
// room without history no gap announces it.
func (c *Conn) dropAll(s *subscription) {
	for m := c.queue.drop(s); m != nil; m = c.queue.drop(s) {
		c.countDropped(SlowLatest)
		if !m.Position.IsZero() {
			c.noteMissed(s, m)
		}
	}
}

// noteMissed notes that the connection does not get m.
func (c *Conn) noteMissed(s *subscription, m *Message) {
	if !s.gap {
		c.gaps++
		c.countGap(GapSlow)
	}
	s.gap, s.lostAt = true, m.Position
}
