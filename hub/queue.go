package hub

// item is one queued frame.
type item struct {
	frame []byte
	sub   *subscription // whose room it came from; nil for replies and control frames
	msg   *Message      // set when the room's slow policy may drop it
	gap   *Gap          // set for a gap, so that a Stamper can stamp it
	// exempt frames do not count against the number of messages: replays, which
	// are bounded by themselves, heartbeats and the close.
	exempt bool
}

// queue is what waits for one connection, oldest first. It holds no memory while
// it is empty.
type queue struct {
	items []item
	head  int
	count int // items that are not exempt
	bytes int
}

func (q *queue) empty() bool { return q.head == len(q.items) }

func (q *queue) push(it item) {
	if len(it.frame) == 0 {
		return // the event has no form in this dialect
	}
	q.items = append(q.items, it)
	q.bytes += len(it.frame)
	if !it.exempt {
		q.count++
	}
}

// shift takes the oldest item. Dropped ones have no frame.
func (q *queue) shift() item {
	it := q.items[q.head]
	q.items[q.head] = item{}
	q.head++
	q.subtract(it)
	switch {
	case q.empty():
		q.items, q.head = nil, 0
	case q.head >= 64 && q.head*2 >= len(q.items):
		q.items = append([]item(nil), q.items[q.head:]...)
		q.head = 0
	}
	return it
}

func (q *queue) subtract(it item) {
	q.bytes -= len(it.frame)
	if !it.exempt && it.frame != nil {
		q.count--
	}
}

// drop takes the oldest message of a subscription out of the queue and returns
// it, or nil if there is none. Its place stays, empty, until it is shifted out.
func (q *queue) drop(s *subscription) *Message {
	for i := q.head; i < len(q.items); i++ {
		if it := q.items[i]; it.sub == s && it.msg != nil {
			q.subtract(it)
			q.items[i] = item{exempt: true}
			return it.msg
		}
	}
	return nil
}

// enqueue queues an event under the limits and the room's slow policy. It never
// costs another room or connection anything. The caller holds c.mu.
func (c *Conn) enqueue(s *subscription, ev Event, frame []byte, slow Slow) {
	if len(frame) == 0 || c.ending {
		return
	}
	it := item{frame: frame, sub: s}
	switch ev := ev.(type) {
	case *Message:
		if ev.Direct == nil {
			it.msg = ev
		} else if slow != SlowDisconnect && c.full(len(frame)) {
			return // it takes nobody's place, and nobody counts on it
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
			// Others fill the queue: the new message is the one to lose.
			c.miss(s, it.msg)
			return
		}
	}
	c.queue.push(it)
}

func (c *Conn) full(more int) bool {
	return c.queue.count+1 > c.hub.settings.Load().QueueMessages || c.stuffed(more)
}

// stuffed reports whether there is no room for so many bytes more. One frame
// always fits into an empty queue, whatever its size.
func (c *Conn) stuffed(more int) bool {
	held := c.queue.bytes + len(c.rest)
	return held > 0 && held+more > c.hub.settings.Load().QueueBytes
}

func (c *Conn) dropOldest(s *subscription) bool {
	m := c.queue.drop(s)
	if m == nil {
		return false
	}
	c.miss(s, m)
	return true
}

// dropAll makes room for the only message of a channel that still counts. In a
// room without history nobody needs to know.
func (c *Conn) dropAll(s *subscription) {
	for m := c.queue.drop(s); m != nil; m = c.queue.drop(s) {
		if !m.Position.IsZero() {
			c.miss(s, m)
		}
	}
}

// miss notes that the connection will not see m.
func (c *Conn) miss(s *subscription, m *Message) {
	if !s.gap {
		c.gaps++
	}
	s.gap, s.lost = true, m.Position
}
