package hub

// waitWritable waits at the transport until it can write more. The rest of a write that was cut
// short must be written within the write timeout, however often the transport takes some of
// it. Needs mu.
func (c *Conn) waitWritable() {
	now := c.hub.beat.now()
	if c.stuck == 0 {
		c.stuck = now
	}
	c.transport.(WriteWaiter).WhenWritable(c.stuck+c.hub.settings.Load().WriteTimeout-now, c.resume)
}

// resume goes on writing when the transport can write more, or closes the connection.
func (c *Conn) resume(err error) {
	defer func() {
		if v := recover(); v != nil {
			c.hub.panicked("a write", v)
			c.endFlush()
		}
	}()
	if err == nil {
		err = c.writeOn()
	}
	if err != nil {
		c.endFlush()
	}
}

// writeOn writes the rest of a write that was cut short, and then what is queued.
func (c *Conn) writeOn() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.try.TryWrite(c.unwritten) // pump waits only for such a rest
	c.countBytes(n)
	if err != nil {
		return err
	}
	if c.unwritten = c.unwritten[n:]; len(c.unwritten) > 0 {
		c.waitWritable()
		return nil
	}
	c.unwritten, c.stuck, c.flushing = nil, 0, false
	c.landed()
	c.pump()
	return nil
}
