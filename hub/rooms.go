package hub

import (
	"slices"
	"strings"
)

// RoomInfo describes a room of this node.
type RoomInfo struct {
	Channel string
	// Connections is how many connections of this node are subscribed.
	Connections int
}

// Rooms lists the rooms that have connections on this node and whose channel
// begins with prefix, in the order of their names, those after a name, at most
// limit. More reports that there are others behind.
func (h *Hub) Rooms(prefix, after string, limit int) (page []RoomInfo, more bool) {
	for i := range h.shards {
		page = h.shards[i].list(page, prefix, after)
	}
	slices.SortFunc(page, func(a, b RoomInfo) int { return strings.Compare(a.Channel, b.Channel) })
	if len(page) > limit {
		return slices.Clone(page[:limit]), true
	}
	return page, false
}

func (sh *shard) list(page []RoomInfo, prefix, after string) []RoomInfo {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for channel, r := range sh.rooms {
		if strings.HasPrefix(channel, prefix) && channel > after {
			page = append(page, RoomInfo{channel, r.size()})
		}
	}
	return page
}

func (r *room) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.members)
}
