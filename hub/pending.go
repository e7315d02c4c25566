package hub

const (
	// maxPending bounds what a room has yet to broadcast, by weight. Publishers wait
	// for space below it. The heaviest message fits into an empty room.
	maxPending = 1 << 20
	// minWeight is what the smallest event weighs, so that the bound is also one of
	// 1,024 messages.
	minWeight = 1 << 10
	// maxFlood bounds what comes without having waited: from other nodes, or as the
	// news of presence and documents. Beyond it messages are lost, and a [Gap] says so.
	maxFlood = 4 * maxPending
	// maxAllPending and maxAllFlood are the same bounds for all rooms together: a client
	// with many rooms does not hold as many times the bound of one. A room that has
	// nothing to broadcast takes one event beyond them, so that none waits for others.
	maxAllPending = 64 << 20
	maxAllFlood   = 4 * maxAllPending
)

// Sized is an optional ability of an announced [Event]: about how many bytes it
// holds. Without it an event counts as a small one.
type Sized interface{ Size() int }

// eventSize estimates what an event holds in memory.
func eventSize(ev Event) int {
	const overhead = 64
	switch ev := ev.(type) {
	case *Message:
		return overhead + len(ev.Content)
	case Sized:
		return overhead + ev.Size()
	}
	return overhead
}

// weightOf is what an event counts against maxPending.
func weightOf(ev Event) int { return max(eventSize(ev), minWeight) }

// broadcast appends messages to what is pending. It is called in the order of
// the offsets.
func (r *room) broadcast(ms []*Message) {
	if r.appendMessages(ms) {
		go r.drain()
	}
}

// appendMessages appends messages to what is pending. It returns true if the caller
// must start a drain.
func (r *room) appendMessages(ms []*Message) (start bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range ms {
		r.appendMessage(m)
	}
	return r.startsDrain(ms[len(ms)-1])
}

// appendMessage appends one message, and a gap where its predecessor is missing. A
// broker repairs holes itself; this is what keeps one that could not from being
// silent. Needs mu.
func (r *room) appendMessage(m *Message) {
	if p := m.Position; !p.IsZero() {
		switch {
		case r.last.Epoch == p.Epoch && p.Offset <= r.last.Offset:
			if r.delivered {
				return // delivered before
			}
			// A subscriber read the log ahead of the broadcast; others may still
			// need this message, and each knows where it began itself.
			r.appendPending(m, p)
			return
		case !r.last.IsZero() && (r.last.Epoch != p.Epoch || p.Offset != r.last.Offset+1):
			r.appendGap(Position{Epoch: p.Epoch, Offset: p.Offset - 1})
		}
		r.last, r.delivered = p, true
	}
	r.appendPending(m, m.Position)
}

// announce appends another event than a message.
func (r *room) announce(ev Event) {
	if r.appendEvent(ev) {
		go r.drain()
	}
}

// appendEvent is appendMessages for another event than a message.
func (r *room) appendEvent(ev Event) (start bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.appendPending(ev, Position{}) // a gap with a position is not told to those who began there
	return r.startsDrain(nil)
}

// appendPending appends an event, or a gap up to a position where there is no space. Needs mu.
func (r *room) appendPending(ev Event, at Position) {
	w := weightOf(ev)
	if r.load == 0 || r.load+w <= maxFlood && r.hub.pending.Load()+int64(w) <= maxAllFlood {
		r.pending = append(r.pending, ev)
		r.weighs(w)
		return
	}
	r.hub.stats.dropped.Add(1)
	if m, ok := ev.(*Message); !ok || m.Direct == nil {
		r.appendGap(at)
	}
}

// appendGap appends a gap. Of those that come one after the other the newest is enough, one
// with a position and one without: so they take two places beyond the bound at most.
// Needs mu.
func (r *room) appendGap(to Position) {
	for i := len(r.pending) - 1; i >= max(0, len(r.pending)-2); i-- {
		g, ok := r.pending[i].(Gap)
		if !ok {
			break
		}
		if g.Position.IsZero() == to.IsZero() {
			r.pending[i] = Gap{r.channel, to}
			return
		}
	}
	r.pending = append(r.pending, Gap{r.channel, to})
	r.weighs(minWeight)
}

// weighs adds to the weight of what is pending, or takes away from it. Needs mu.
func (r *room) weighs(more int) {
	r.load += more
	r.hub.pending.Add(int64(more))
}

// startsDrain returns true if the caller must start a drain once mu is released. It
// returns false if nothing is pending, if a drain runs already, or if the publisher of
// the message m has offered to drain the room and is left to it. Needs mu.
func (r *room) startsDrain(m *Message) bool {
	if r.draining || len(r.pending) == 0 {
		return false
	}
	r.draining = true
	return m == nil || len(r.members) > inlineMembers || !m.claimDrain(r)
}
