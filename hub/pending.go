package hub

const (
	// maxPending bounds the weight of what a room has yet to broadcast. Publishers wait
	// for space below it. The heaviest message fits into an empty room.
	maxPending = 1 << 20
	// minWeight is the weight of the smallest event, so that maxPending also bounds the
	// number of messages, by 1,024.
	minWeight = 1 << 10
	// maxFlood is the bound for events that do not wait: those from other nodes, and
	// those of presence and documents. Beyond it messages are dropped, and a [Gap] takes
	// their place.
	maxFlood = 4 * maxPending
	// maxAllPending and maxAllFlood are the same bounds for all rooms together, because a
	// client may publish to many rooms. A room that has nothing to broadcast takes one
	// event beyond them, so that no room waits for another one.
	maxAllPending = 64 << 20
	maxAllFlood   = 4 * maxAllPending
)

// Sized is an optional interface of an announced [Event]. Size returns about how many bytes
// it holds. An event without it counts as a small one.
type Sized interface{ Size() int }

// eventSize estimates the memory of an event.
func eventSize(ev Event) int {
	const overhead = 64
	switch ev := ev.(type) {
	case *Message:
		return overhead + len(ev.Content) + len(ev.Tags)
	case Sized:
		return overhead + ev.Size()
	}
	return overhead
}

// weightOf returns what an event counts against maxPending.
func weightOf(ev Event) int { return max(eventSize(ev), minWeight) }

// broadcast appends messages to what is pending. It is called in the order of the offsets.
// It returns false if the room is dead: another one may have the channel by now.
func (r *room) broadcast(ms []*Message) bool {
	start, dead := r.appendMessages(ms)
	if start {
		go r.drain()
	}
	return !dead
}

// appendMessages appends messages to what is pending, unless the room is dead. start
// reports that the caller must start a drain.
func (r *room) appendMessages(ms []*Message) (start, dead bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return false, true
	}
	for _, m := range ms {
		r.appendMessage(m)
	}
	return r.startsDrain(ms[len(ms)-1]), false
}

// appendMessage appends one message, and before it a gap if its predecessor is missing. A
// broker repairs such holes; if it cannot, the loss is announced here. Needs mu.
func (r *room) appendMessage(m *Message) {
	if p := m.Position; !p.IsZero() {
		switch {
		case r.last.Epoch == p.Epoch && p.Offset <= r.last.Offset:
			if r.delivered {
				return // delivered before
			}
			// A subscriber read the log ahead of the broadcast. Other members may still
			// need this message. Each subscription knows at which position it started.
			r.appendPending(m, p)
			return
		case !r.last.IsZero() && (r.last.Epoch != p.Epoch || p.Offset != r.last.Offset+1):
			r.appendGap(Position{Epoch: p.Epoch, Offset: p.Offset - 1}, GapLost)
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
	r.appendPending(ev, Position{}) // subscriptions that started at a position ignore a gap up to it
	return r.startsDrain(nil)
}

// appendPending appends an event. If there is no space, it appends a gap up to a position
// instead. Needs mu.
func (r *room) appendPending(ev Event, at Position) {
	w := weightOf(ev)
	if r.load == 0 || r.load+w <= maxFlood && r.hub.pending.Load()+int64(w) <= maxAllFlood {
		r.pending = append(r.pending, ev)
		r.addWeight(w)
		return
	}
	r.hub.stats.overrun.Add(1)
	if m, ok := ev.(*Message); !ok || !m.unplaced() {
		r.appendGap(at, GapBehind)
	}
}

// appendGap appends a gap. It replaces the gap before it, one with a position and one
// without: so gaps take at most two places beyond the bound. Needs mu.
func (r *room) appendGap(to Position, cause GapCause) {
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
	r.hub.stats.gap(cause)
	r.pending = append(r.pending, Gap{r.channel, to})
	r.addWeight(minWeight)
}

// addWeight adds to the weight of what is pending. more may be negative. Needs mu.
func (r *room) addWeight(more int) {
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

// Skip notifies the connections of a room that delivery continues after a position, because
// the messages before it are lost. A broker may call it, in order with Broadcast.
// Otherwise the position of the next message shows the hole.
func (h *Hub) Skip(channel string, to Position) {
	if r := h.room(channel); r != nil {
		r.skip(to)
	}
}

func (r *room) skip(to Position) {
	if r.appendSkip(to) {
		go r.drain()
	}
}

// appendSkip is appendMessages for a gap up to a position, where the room continues.
func (r *room) appendSkip(to Position) (start bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.delivered = to, true
	r.appendGap(to, GapLost)
	return r.startsDrain(nil)
}
