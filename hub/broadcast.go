package hub

const (
	// inlineMembers is the size up to which the publisher broadcasts to a room itself.
	inlineMembers = 32
	// batchEvents and batchBytes bound one write. A single event may be larger.
	batchEvents = 64
	batchBytes  = 64 << 10
	// keptEvents is how many places an idle room keeps for what comes next.
	keptEvents = 4
)

// drain broadcasts until nothing is pending.
func (r *room) drain() {
	defer r.recoverDrain()
	for r.drainStep(0, nil) {
	}
}

// drainInline broadcasts one batch and leaves the rest to a goroutine, so that one
// publisher does not work for all others. reserved is the publisher's space, which
// drainInline releases.
func (r *room) drainInline(reserved int, publisher *Conn) {
	defer r.recoverDrain()
	if r.drainStep(reserved, publisher) && r.drainMore() {
		go r.drain()
	}
}

// recoverDrain is deferred by a drain. fanOut recovers the panics of members. After any
// other panic the pending events may cause it again, so recoverDrain drops them and a
// goroutine continues the drain: if all publishers wait for space, no event comes that
// would start another one.
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

// discardPending replaces the pending events with a gap and grants their space to waiting
// publishers. The gap has no position, because some lost events may have none; so every
// member is notified. It returns false if the drain ends: nothing is pending, or such a
// gap caused the panic.
func (r *room) discardPending() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	gap := Gap{Channel: r.channel}
	r.dropFences()
	r.draining = len(r.pending) > 1 || len(r.pending) == 1 && r.pending[0] != Event(gap)
	r.hub.stats.overrun.Add(uint64(len(r.pending)))
	r.addWeight(-r.load)
	r.pending, r.spent, r.shared = nil, nil, false
	if r.draining {
		r.appendGap(gap.Position, GapBehind)
	}
	r.grantSpace()
	return r.draining
}

// drainMore reports whether anything is pending. If not, the drain ends.
func (r *room) drainMore() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reuse()
	r.draining, r.shared = len(r.pending) > 0, false
	return r.draining
}

// drainStep broadcasts one batch, after it has released the space that its caller
// reserved. It returns false if nothing was pending, and then the drain ends. publisher is
// the connection whose goroutine this is, or nil.
func (r *room) drainStep(reserved int, publisher *Conn) bool {
	b, members := r.nextBatch(reserved)
	if len(b.events) == 0 {
		return false
	}
	b.publisher = publisher
	for at := 0; at < len(members); {
		at = r.fanOut(&b, members, at)
	}
	r.countDelays(&b)
	b.release()
	if cap(b.events) <= keptEvents {
		clear(b.events)
		r.spent = b.events[:0]
	}
	return true
}

// reuse lets the slice of the last batch be filled again. Needs mu.
func (r *room) reuse() {
	if r.pending == nil {
		r.pending = r.spent
	}
	r.spent = nil
}

// nextBatch takes the next batch, and shares the members with its broadcast. It returns an
// empty batch if nothing is pending, and then the drain ends.
func (r *room) nextBatch(reserved int) (batch, []*subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved -= reserved
	r.reuse()
	r.passFences()
	n, weight := r.batchSize()
	if n == 0 {
		r.grantSpace()
		r.draining, r.shared = false, false
		return batch{}, nil
	}
	b := newBatch(r.pending[:n:n], r.options.Slow)
	b.often = max(1, r.options.Retention.Size/4) // so that a lost connection can recover
	if r.pending = r.pending[n:]; len(r.pending) == 0 {
		r.pending = nil
	}
	r.addWeight(-weight)
	r.grantSpace()
	r.shared = true
	return b, r.members
}

// batchSize returns how many events the next batch has, and their weight. Needs mu.
func (r *room) batchSize() (n, weight int) {
	for size := 0; n < min(len(r.pending), batchEvents); n++ {
		if _, ends := r.pending[n].(*fence); ends {
			break
		}
		size += eventSize(r.pending[n])
		if n > 0 && size > batchBytes {
			break
		}
		weight += weightOf(r.pending[n])
	}
	return n, weight
}

// fanOut delivers a batch to the members, starting at index from, and returns the index to
// continue at. A panic closes the connection of the member at which it came up, and no
// other one.
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
		if s := members[at]; !b.skips(s) {
			s.conn.deliver(s, b)
		}
	}
	return at
}
