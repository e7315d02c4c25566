package hub

// cork holds the bytes of a batch back until the reply of the publisher whose goroutine
// broadcasts it, or until Uncork. It returns false if they are to be written now. Several
// events are: if the socket is full, the limits of the queue apply to each of them. Needs mu.
func (c *Conn) cork(f *form, b *batch) bool {
	if b.publisher != c || len(b.events) > 1 || len(f.bytes) > maxWrite {
		return false
	}
	c.corked = getBuffer()
	*c.corked = append(*c.corked, f.bytes...)
	return true
}

// Uncork writes what [Hub.PublishFrom] has held back, if no reply did. It never blocks.
func (c *Conn) Uncork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.corked; b != nil {
		c.corked = nil
		c.writeNow(b)
		c.pump()
	}
}

// sendsAtOnce reports whether an event can be written without the queue. Needs mu.
func (c *Conn) sendsAtOnce() bool { return c.try != nil && !c.stamps && c.nothingQueued() }

// sendNow writes an event behind what is corked, in one write. Needs mu.
func (c *Conn) sendNow(ev Event) {
	b := c.corked
	if b == nil {
		b = getBuffer()
	}
	*b = c.encoder.AppendEvent(*b, ev)
	c.corked = nil
	c.writeNow(b)
	c.pump()
}

// writeNow writes b and gives the buffer back. Nothing else waits to be written before it.
// Needs mu.
func (c *Conn) writeNow(b *[]byte) {
	defer putBuffer(b)
	defer c.endLostAfterPanic()
	if len(*b) > 0 {
		c.tryWrite(*b)
	}
}
