package hub

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const shardCount = 64

// Hub is the set of rooms and connections of one node.
type Hub struct {
	// Static after New.
	broker Broker
	seed   maphash.Seed
	shards [shardCount]shard
	beat   *heartbeat

	settings atomic.Pointer[Settings]
	ended    atomic.Bool // Close was called
	stats    stats
	pending  atomic.Int64 // weight of what all rooms have pending

	// Guarded by mu.
	mu     sync.Mutex
	conns  map[string]*Conn
	closed bool // no new connections: draining or closed

	wg sync.WaitGroup // one for each connection, until it is over
}

// shard is a part of the rooms, so that rooms do not contend for one lock.
type shard struct {
	mu    sync.RWMutex
	rooms map[string]*room
}

// New returns a hub on the broker that b makes. The hub is the broker's Sink and
// closes it in [Hub.Close].
func New(b func(Sink) (Broker, error)) (*Hub, error) {
	h := &Hub{seed: maphash.MakeSeed(), conns: make(map[string]*Conn)}
	for i := range h.shards {
		h.shards[i].rooms = make(map[string]*room)
	}
	h.settings.Store(new(Settings{}.withDefaults()))
	broker, err := b(h)
	if err != nil {
		return nil, err
	}
	h.broker = broker
	h.beat = newHeartbeat(h)
	return h, nil
}

// Apply puts s in force, for the rooms and connections that exist as well.
func (h *Hub) Apply(s Settings) {
	s = s.withDefaults()
	h.settings.Store(&s)
	for i := range h.shards {
		h.shards[i].apply(s.Room)
	}
	h.beat.reset()
}

func (sh *shard) apply(options func(string) RoomOptions) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for channel, r := range sh.rooms {
		o := options(channel)
		r.mu.Lock()
		r.options = o
		r.mu.Unlock()
	}
}

// Settings returns the settings in force, with the defaults filled in.
func (h *Hub) Settings() Settings { return *h.settings.Load() }

// Conn returns a live connection of this node.
func (h *Hub) Conn(id string) (*Conn, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.conns[id]
	return c, ok
}

// Conns returns how many connections this node has.
func (h *Hub) Conns() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

func (h *Hub) shard(channel string) *shard {
	return &h.shards[maphash.String(h.seed, channel)%shardCount]
}

// room returns the room of a channel that has connections here, or nil.
func (h *Hub) room(channel string) *room {
	sh := h.shard(channel)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.rooms[channel]
}

// Close ends all connections with [ReasonGone], waits for the goroutines of the
// hub and closes the broker. Further calls return [ErrClosed].
func (h *Hub) Close() error {
	if h.ended.Swap(true) {
		return ErrClosed
	}
	h.Dismiss(ReasonGone)
	h.wg.Wait()
	h.beat.stop()
	return h.broker.Close()
}

// Dismiss ends all connections with r and takes no new ones. It does not wait;
// Close does.
func (h *Hub) Dismiss(r Reason) {
	for _, c := range h.stopAccepting() {
		c.Close(r)
	}
}

// stopAccepting makes Connect fail from now on and returns the connections there are.
func (h *Hub) stopAccepting() []*Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	conns := make([]*Conn, 0, len(h.conns))
	for _, c := range h.conns {
		conns = append(conns, c)
	}
	return conns
}

// Publish hands a message to the broker, which broadcasts it on every node. It
// sets m.Time when that is zero. With a key, a repeat within the broker's window
// is harmless. While the room has too much to broadcast Publish waits, before the
// message is accepted. Errors are those of [Hub.Reserve] and the broker's.
func (h *Hub) Publish(ctx context.Context, m *Message, key string) (Published, error) {
	if m.Time.IsZero() {
		m.Time = time.Now()
	}
	space, room, err := h.reserve(ctx, m.Channel, weightOf(m))
	if err != nil {
		return Published{}, err
	}
	if m.Direct != nil {
		// Without an offer: what a sender waits for does not depend on who is there.
		defer space.Release()
		return h.broker.Publish(ctx, m, PublishOptions{Key: directKey(key)})
	}
	o := PublishOptions{Retention: room.Retention, Key: key}
	if o.Retention.Size > 0 {
		m.Position.Anchor = anchor(m)
	}
	m.offerDrain()
	// Deferred because a room that was promised to be drained stays silent otherwise.
	defer m.finishDrain(space)
	return h.broker.Publish(ctx, m, o)
}

// History reads retained messages of a room. Errors are the broker's.
func (h *Hub) History(ctx context.Context, channel string, q HistoryQuery) (HistoryPage, error) {
	return h.broker.History(ctx, channel, h.settings.Load().Room(channel).Retention, q)
}

// Broadcast hands messages of one room, in order, to the connections of this
// node. It is called by the broker.
func (h *Hub) Broadcast(channel string, ms ...*Message) {
	if r := h.room(channel); r != nil {
		r.broadcast(ms)
	}
}

// Announce sends an event other than a message to the connections that a room
// has on this node, in order with the messages.
func (h *Hub) Announce(channel string, ev Event) {
	if r := h.room(channel); r != nil {
		r.announce(ev)
	}
}
