package hub

import (
	"context"
	"sync"
)

// maxWrite is about how much is gathered for one write: two TLS records.
const maxWrite = 32 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	if cap(*b) > 4*maxWrite {
		return
	}
	*b = (*b)[:0]
	buffers.Put(b)
}

// pump starts writing what is queued. It writes at once what needs no waiting. The rest waits
// at the transport, or in a goroutine that ends when the queue is empty. Needs mu.
func (c *Conn) pump() {
	if c.flushing || c.corked != nil {
		return
	}
	if c.try != nil && !c.queue.empty() {
		c.pumpTry()
	}
	if len(c.unwritten) > 0 || !c.queue.empty() {
		c.flushing = true
		if c.waits {
			c.waitWritable()
		} else {
			go c.flush()
		}
		return
	}
	c.signalFlushed()
}

// pumpTry writes without waiting until the queue is empty or the socket is full. A panic
// counts as a failed write, because the caller works for other connections as well.
func (c *Conn) pumpTry() {
	b := getBuffer()
	defer putBuffer(b)
	defer c.endLostAfterPanic()
	for len(c.unwritten) == 0 && !c.queue.empty() {
		*b = c.takeQueued((*b)[:0], nil)
		c.tryWrite(*b)
	}
}

// tryWrite writes as much of p as is possible without waiting, and leaves the rest to pump.
// The caller has taken p from the queue.
func (c *Conn) tryWrite(p []byte) {
	n, err := c.try.TryWrite(p)
	c.countBytes(n)
	if err != nil {
		c.endLost()
		return
	}
	if n < len(p) {
		c.unwritten = append([]byte(nil), p[n:]...)
		return
	}
	c.landed()
}

// endLostAfterPanic is deferred by a write. Needs mu.
func (c *Conn) endLostAfterPanic() {
	if v := recover(); v != nil {
		c.hub.panicked("a write", v)
		c.endLost()
	}
}

// endLost closes a connection to which a write failed. Needs mu.
func (c *Conn) endLost() {
	c.noteStandings(ReasonLost)
	c.queue = queue{}
	c.end(ReasonLost)
}

// signalFlushed notifies finish once everything is written. Needs mu.
func (c *Conn) signalFlushed() {
	if c.ending && c.flushed != nil && c.idle() {
		select {
		case <-c.flushed:
		default:
			close(c.flushed)
		}
	}
}

// flush writes until the queue is empty. While it runs no other goroutine writes.
func (c *Conn) flush() {
	b := getBuffer()
	defer putBuffer(b)
	defer func() {
		if v := recover(); v != nil {
			c.hub.panicked("a write", v)
			c.endFlush()
		}
	}()
	var waited late
	for more := c.nextWrite(b, &waited, false); more; more = c.nextWrite(b, &waited, true) {
		if err := c.transport.Write(*b); err != nil {
			c.endFlush()
			return
		}
		waited.count()
	}
}

// nextWrite fills b with the bytes of the next write. It returns false when there are none,
// and then the flush ends. wrote says that the flush has written before.
func (c *Conn) nextWrite(b *[]byte, waited *late, wrote bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wrote {
		c.landed()
	}
	*b = append((*b)[:0], c.unwritten...)
	c.unwritten = nil
	*b = c.takeQueued(*b, waited)
	if len(*b) > 0 {
		c.countBytes(len(*b))
		return true
	}
	c.flushing = false
	c.signalFlushed()
	return false
}

// endFlush is endLost for the goroutine of flush.
func (c *Conn) endFlush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noteStandings(ReasonLost)
	c.flushing, c.unwritten, c.queue = false, nil, queue{}
	c.end(ReasonLost)
	c.signalFlushed()
}

// takeQueued moves frames from the queue to dst, up to about maxWrite. The caller writes dst
// before the next call, so that stamps and gaps are made in the order of the writes. Messages
// of rooms are added to waited, which may be nil. Needs mu.
func (c *Conn) takeQueued(dst []byte, waited *late) []byte {
	for len(dst) < maxWrite && !c.queue.empty() {
		it := c.queue.shift()
		c.noteFlight(it.msg)
		waited.add(&it)
		if it.progress != nil && it.sub != nil && it.sub.gap {
			continue
		}
		if it.msg != nil && it.sub != nil && it.sub.gap {
			dst = c.appendGap(dst, it.sub)
		}
		dst = c.appendStamp(dst, it)
		dst = append(dst, it.frame...)
	}
	if c.gaps > 0 && c.queue.empty() {
		dst = c.appendGaps(dst)
	}
	c.wakeQueueWaiters()
	return dst
}

// appendGaps appends the gaps behind which no message is queued.
func (c *Conn) appendGaps(dst []byte) []byte {
	for _, s := range c.subs {
		if s.gap {
			dst = c.appendGap(dst, s)
		}
	}
	c.gaps = 0 // those of subscriptions that ended meanwhile do not matter
	return dst
}

// appendGap appends one gap for all that was dropped before the message that follows.
func (c *Conn) appendGap(dst []byte, s *subscription) []byte {
	gap := Gap{s.channel, s.lostAt}
	s.gap, s.lostAt = false, Position{}
	c.gaps--
	dst = c.stamp(dst, gap.Channel, gap.Position)
	return c.encoder.AppendEvent(dst, gap)
}

func (c *Conn) appendStamp(dst []byte, it item) []byte {
	switch {
	case it.msg != nil:
		return c.stamp(dst, it.msg.Channel, it.msg.Position)
	case it.gap != nil:
		return c.stamp(dst, it.gap.Channel, it.gap.Position)
	case it.progress != nil:
		return c.stamp(dst, it.progress.Channel, it.progress.Position)
	}
	return dst
}

func (c *Conn) stamp(dst []byte, channel string, p Position) []byte {
	if !c.stamps {
		return dst
	}
	return c.transport.(Stamper).AppendStamp(dst, channel, p)
}

// waitForQueue waits until half of the queue's bytes are free. So a client with many rooms
// to recover is slowed down, and its queue does not overflow. Closing the connection ends
// the wait.
func (c *Conn) waitForQueue(ctx context.Context, waits func()) error {
	c.mu.Lock()
	if c.queueHalfFree() {
		c.mu.Unlock()
		return nil
	}
	if c.queueFree == nil {
		c.queueFree = make(chan struct{})
	}
	relief := c.queueFree
	c.mu.Unlock()
	if waits != nil {
		waits()
	}
	c.Yield()
	select {
	case <-relief:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Conn) queueHalfFree() bool {
	return c.ending || c.queue.bytes <= c.hub.settings.Load().QueueBytes/2
}

// wakeQueueWaiters ends the waits in waitForQueue if there is space. Needs mu.
func (c *Conn) wakeQueueWaiters() {
	if c.queueFree != nil && c.queueHalfFree() {
		close(c.queueFree)
		c.queueFree = nil
	}
}
