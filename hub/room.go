package hub

import (
	"container/list"
	"slices"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/internal/tally"
)

// room is what the hub keeps of one channel while it has connections on this node.
type room struct {
	// Static after creation.
	hub     *Hub
	channel string
	delays  *tally.Histogram // of the room's shard
	ready   chan struct{}    // closed when the broker has attached the room

	// Written before ready is closed, static afterwards.
	err error

	// Guarded by mu. While shared is set, a broadcast reads members, and the elements
	// within its length must not change.
	mu        sync.Mutex
	options   RoomOptions
	attached  bool // the broker delivers
	dead      bool // the last member has left; for good
	members   []*subscription
	shared    bool
	pending   []Event
	load      int        // weight of pending
	reserved  int        // weight of what publishers are handing to the broker
	waiting   *list.List // publishers that wait for space, *waiter; nil if none ever did
	draining  bool
	last      Position // of the newest message that was broadcast, or where a subscriber started
	delivered bool     // last is that of a broadcast message

	spent []Event // the empty slice of the last batch; owned by the drain
}

// add adds s to the members. occupied reports that s is the first one that is not of an
// observer. Needs the shard's mu.
func (r *room) add(s *subscription) (occupied bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	occupied = !s.conn.observer && !r.hasClients()
	s.room, s.index = r, len(r.members)
	r.members = append(r.members, s)
	return occupied
}

// remove removes s from the members. empty reports that s was the last one: the room is dead
// then, and the hub must remove it. attached reports that the caller must also detach it, and
// vacated that only observers are left, or nobody. A second call for the same subscription does
// nothing. Needs the shard's mu, so that no message reaches a dead room while another one has
// the channel.
func (r *room) remove(s *subscription) (empty, attached, vacated bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.index < 0 {
		return false, false, false
	}
	if r.shared {
		r.members = append([]*subscription(nil), r.members...)
		r.shared = false
	}
	last := len(r.members) - 1
	r.members[s.index] = r.members[last]
	r.members[s.index].index = s.index
	r.members[last] = nil
	r.members = r.members[:last]
	s.index = -1
	r.dead = last == 0
	return r.dead, r.dead && r.attached, !s.conn.observer && !r.hasClients()
}

// markAttached notes that the broker delivers. It returns false if all members have left
// meanwhile, and then the caller must detach.
func (r *room) markAttached() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attached = !r.dead
	return r.attached
}

func (r *room) currentOptions() RoomOptions {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.options
}

// setFirstPosition sets the position of a room that has broadcast no message yet, so that a
// hole before the first message is noticed.
func (r *room) setFirstPosition(p Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.IsZero() {
		r.last = p
	}
}

// RoomInfo describes a room of this node.
type RoomInfo struct {
	Channel string
	// Connections is how many connections of this node are subscribed.
	Connections int
}

// Rooms lists the rooms that have connections on this node and whose channel starts with
// prefix, in the order of their names. It returns at most limit rooms behind the name
// after. more reports that further rooms follow.
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
		if !strings.HasPrefix(channel, prefix) || channel <= after {
			continue
		}
		if n := r.size(); n > 0 { // not a room in which there are observers alone
			page = append(page, RoomInfo{channel, n})
		}
	}
	return page
}

// size returns how many connections the room has, without observers.
func (r *room) size() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clients()
}

// hasClients reports whether any member is not an observer. Needs mu.
func (r *room) hasClients() bool {
	return slices.ContainsFunc(r.members, func(s *subscription) bool { return !s.conn.observer })
}

// clients is size with mu held.
func (r *room) clients() (n int) {
	n = len(r.members)
	if r.hub.observers.Load() == 0 {
		return n
	}
	for _, s := range r.members {
		if s.conn.observer {
			n--
		}
	}
	return n
}
