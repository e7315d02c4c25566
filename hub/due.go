package hub

// Due is a broadcast that the caller of [Hub.BroadcastDue] has taken on. The zero Due is none.
type Due struct{ room *room }

// IsZero reports whether there is nothing to do.
func (d Due) IsZero() bool { return d.room == nil }

// Run does the broadcast on this goroutine, up to one batch; a goroutine does the rest. The
// caller holds no lock. It never waits for a connection.
func (d Due) Run() { d.room.drainInline(0, nil) }

// Start makes a goroutine do the broadcast.
func (d Due) Start() { go d.room.drain() }

// DueSink is an optional interface of a [Sink]. A broker that receives messages on a goroutine
// of its own saves small rooms the switch to another one.
type DueSink interface {
	// BroadcastDue is Broadcast for a caller that does the broadcast of a small room itself.
	// It calls Run or Start of what is returned soon and exactly once: until then the room
	// collects messages, which the same broadcast sends, and is silent.
	BroadcastDue(channel string, ms ...*Message) Due
}

var _ DueSink = (*Hub)(nil)

// BroadcastDue implements [DueSink].
func (h *Hub) BroadcastDue(channel string, ms ...*Message) Due {
	r := h.room(channel)
	if r == nil {
		return Due{}
	}
	start, _ := r.appendMessages(ms)
	switch {
	case !start:
		return Due{}
	case r.size() > inlineMembers:
		go r.drain()
		return Due{}
	}
	return Due{r}
}
