package hub

// Occupancy is notified of the rooms that have connections on this node. Its methods must not
// block. They are called with a lock of the hub held. Observers do not count.
type Occupancy interface {
	// Occupy is called when the first connection enters a room.
	Occupy(channel string)
	// Vacate is called when the last one has left it.
	Vacate(channel string)
}

// WatchOccupancy sets what is notified of rooms from now on; nil: nothing. It is first notified
// of the rooms that have connections. Calls follow each other.
func (h *Hub) WatchOccupancy(o Occupancy) {
	if o == nil {
		h.occupancy.Store(nil)
		return
	}
	h.occupancy.Store(&o)
	for i := range h.shards {
		h.shards[i].report(o)
	}
}

func (sh *shard) report(o Occupancy) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for channel, r := range sh.rooms {
		if r.size() > 0 {
			o.Occupy(channel)
		}
	}
}

// reportRoom notifies of a room, if anything wants that. Needs the shard's mu.
func (h *Hub) reportRoom(what func(o Occupancy, channel string), channel string) {
	if o := h.occupancy.Load(); o != nil {
		what(*o, channel)
	}
}
