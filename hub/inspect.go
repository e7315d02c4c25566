package hub

// Queue returns what waits for the client of the connection: how many events, and how many
// bytes.
func (c *Conn) Queue() (events, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.queue.count), c.queue.bytes + len(c.unwritten)
}

// In reports whether the connection is subscribed to a channel.
func (c *Conn) In(channel string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subscription(channel) != nil
}

// Census returns how many rooms have connections on this node, and how many subscriptions
// the rooms have.
func (h *Hub) Census() (rooms, subscriptions int) {
	for i := range h.shards {
		r, s := h.shards[i].census()
		rooms, subscriptions = rooms+r, subscriptions+s
	}
	return rooms, subscriptions
}

func (sh *shard) census() (rooms, subscriptions int) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, r := range sh.rooms {
		if n := r.size(); n > 0 {
			rooms, subscriptions = rooms+1, subscriptions+n
		}
	}
	return rooms, subscriptions
}
