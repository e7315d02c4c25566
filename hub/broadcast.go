package hub

const (
	// inlineMembers is the size up to which a publisher broadcasts by itself.
	inlineMembers = 32
	// batchEvents and batchBytes bound what is merged into one write. A single event
	// may be larger.
	batchEvents = 64
	batchBytes  = 64 << 10
)

// drain broadcasts until nothing is pending.
func (r *room) drain() {
	defer r.recoverDrain()
	for r.drainStep(0) {
	}
}

// drainInline broadcasts once and leaves the rest, if any, to a goroutine, so
// that one publisher does not end up working for all others. The publisher gives back
// what it has reserved.
func (r *room) drainInline(reserved int) {
	defer r.recoverDrain()
	if r.drainStep(reserved) && r.drainMore() {
		go r.drain()
	}
}

// recoverDrain is deferred by a drain. fanOut ends the panics of members; after any other one
// the events that are pending may cause it again. They are lost, and a goroutine goes on:
// publishers may wait for the space, and then no event comes that would begin a drain.
func (r *room) recoverDrain() {
	v := recover()
	if v == nil {
		return
	}
	r.hub.panicked("a room", v)
	if r.discardPending() {
		go r.drain()
	}
}

// discardPending puts a gap in the place of what is pending, and lets publishers go on. The gap
// has no position, because some of what is lost may have none: all members are told. False
// ends the drain: nothing is pending, or the panic came of such a gap.
func (r *room) discardPending() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	gap := Gap{Channel: r.channel}
	r.draining = len(r.pending) > 1 || len(r.pending) == 1 && r.pending[0] != Event(gap)
	r.hub.stats.dropped.Add(uint64(len(r.pending)))
	r.weighs(-r.load)
	r.pending, r.shared = nil, false
	if r.draining {
		r.appendGap(gap.Position)
	}
	r.grantSpace()
	return r.draining
}

// drainMore reports whether anything is pending; if not, the drain is over.
func (r *room) drainMore() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining, r.shared = len(r.pending) > 0, false
	return r.draining
}

// drainStep broadcasts a part of what is pending, after its caller has given back what it
// reserved. False ends the drain.
func (r *room) drainStep(reserved int) bool {
	b, members := r.nextBatch(reserved)
	if len(b.events) == 0 {
		return false
	}
	for at := 0; at < len(members); {
		at = r.fanOut(&b, members, at)
	}
	return true
}

// nextBatch takes the next batch, and shares the members with its broadcast. An empty
// one ends the drain.
func (r *room) nextBatch(reserved int) (batch, []*subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved -= reserved
	n, weight := r.batchSize()
	if n == 0 {
		r.grantSpace()
		r.draining, r.shared = false, false
		return batch{}, nil
	}
	b := newBatch(r.pending[:n:n], r.options.Slow)
	if r.pending = r.pending[n:]; len(r.pending) == 0 {
		r.pending = nil
	}
	r.weighs(-weight)
	r.grantSpace()
	r.shared = true
	return b, r.members
}

// batchSize is how many events make the next batch, and what they weigh. Needs mu.
func (r *room) batchSize() (n, weight int) {
	for size := 0; n < min(len(r.pending), batchEvents); n++ {
		size += eventSize(r.pending[n])
		if n > 0 && size > batchBytes {
			break
		}
		weight += weightOf(r.pending[n])
	}
	return n, weight
}

// fanOut delivers a batch to the members from one on, and returns where to go on. A
// panic costs the member at which it came up its connection, and nobody else anything.
func (r *room) fanOut(b *batch, members []*subscription, from int) (next int) {
	at := from
	defer func() {
		if v := recover(); v != nil {
			r.hub.panicked("a broadcast", v)
			members[at].conn.Close(ReasonLost)
			next = at + 1
		}
	}()
	for ; at < len(members); at++ {
		if s := members[at]; !b.skips(s.conn) {
			s.conn.deliver(s, b)
		}
	}
	return at
}
