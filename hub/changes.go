package hub

// WatchChanges sets what is called from now on whenever a connection has entered or left a room; nil:
// nothing. changed must not block. It is called without locks, by several goroutines at once, and
// perhaps more often than there are changes. Observers do not count.
func (h *Hub) WatchChanges(changed func(channel string)) {
	if changed == nil {
		h.changes.Store(nil)
		return
	}
	h.changes.Store(&changed)
}

// reportChange notifies of a connection that has entered or left a room, if anything wants that.
func (h *Hub) reportChange(s *subscription) {
	if changed := h.changes.Load(); changed != nil && !s.conn.observer {
		(*changed)(s.channel)
	}
}

// Ended reports whether [Hub.Close] was called.
func (h *Hub) Ended() bool { return h.ended.Load() }

// Connections returns how many connections a room has on this node, without observers.
func (h *Hub) Connections(channel string) int {
	if r := h.room(channel); r != nil {
		return r.size()
	}
	return 0
}
