package client

// checker counts what one connection received, for each sender. Messages of one sender
// must arrive in order, each exactly once.
type checker struct {
	next    map[uint32]uint32 // by sender: the number that comes next
	got     int               // messages that were expected or came after a hole
	strange int               // messages that came again, or after a later one
}

// see takes one message.
func (c *checker) see(sender, seq uint32) {
	if c.next == nil {
		c.next = make(map[uint32]uint32)
	}
	if seq < c.next[sender] {
		c.strange++
		return
	}
	c.got++
	c.next[sender] = seq + 1
}
