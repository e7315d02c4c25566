package hub

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/tally"
)

const shardCount = 64

// Hub is the set of rooms and connections of one node.
type Hub struct {
	// Static after New.
	broker Broker
	seed   maphash.Seed
	shards [shardCount]shard
	beat   *heartbeat
	prompt bool // the broker is a PromptBroker; static

	settings  atomic.Pointer[Settings]
	ended     atomic.Bool  // Close was called
	observers atomic.Int64 // connections that are observers; written with mu held
	stats     stats
	pending   atomic.Int64 // weight of what all rooms have pending

	feeds feeds // subscriptions to patterns

	occupancy atomic.Pointer[Occupancy]    // nil: nothing is notified, see WatchOccupancy
	changes   atomic.Pointer[func(string)] // nil: nothing is called, see WatchChanges

	// Guarded by mu.
	mu     sync.Mutex
	conns  map[string]*Conn // with the observers
	closed bool             // no new connections, for good
	paused bool             // no new connections except observers, until Accept

	wg sync.WaitGroup // one for each connection, until it is over
}

// shard holds a part of the rooms, so that rooms do not contend for one lock.
type shard struct {
	mu    sync.RWMutex
	rooms map[string]*room

	delays *tally.Histogram // of the deliveries in these rooms; static
}

// New returns a hub with the broker that b makes. The hub is the broker's Sink. [Hub.Close]
// closes the broker.
func New(b func(Sink) (Broker, error)) (*Hub, error) {
	h := &Hub{seed: maphash.MakeSeed(), conns: make(map[string]*Conn)}
	for i := range h.shards {
		h.shards[i].rooms = make(map[string]*room)
		h.shards[i].delays = newDelays()
	}
	h.settings.Store(new(Settings{}.withDefaults()))
	broker, err := b(h)
	if err != nil {
		return nil, err
	}
	h.broker = broker
	if p, ok := broker.(PromptBroker); ok {
		h.prompt = p.Prompt()
	}
	h.beat = newHeartbeat(h)
	return h, nil
}

// Apply applies new settings, also to the rooms and connections that exist.
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

// Settings returns the current settings, with the defaults filled in.
func (h *Hub) Settings() Settings { return *h.settings.Load() }

// Prompt reports whether nothing in the store of the hub waits for a network or a disk: see
// [PromptBroker].
func (h *Hub) Prompt() bool { return h.prompt }

// Conn returns a live connection of this node.
func (h *Hub) Conn(id string) (*Conn, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.conns[id]
	return c, ok
}

// Conns returns how many connections this node has, without observers.
func (h *Hub) Conns() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns) - int(h.observers.Load())
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

// Close closes all connections with [ReasonGone], waits for the hub's goroutines and
// closes the broker. Further calls return [ErrClosed].
func (h *Hub) Close() error {
	if h.ended.Swap(true) {
		return ErrClosed
	}
	h.CloseConns(ReasonGone)
	h.wg.Wait()
	h.beat.stop()
	return h.broker.Close()
}

// CloseConns closes all connections with r. From now on [Hub.Connect] fails. CloseConns
// does not wait; Close does.
func (h *Hub) CloseConns(r Reason) {
	for _, c := range h.stopAccepting(&h.closed) {
		c.Close(r)
	}
}

// stopAccepting sets why, which is closed or paused, and returns the connections that have to
// end: all if the hub is closed, and all but the observers if it is paused.
func (h *Hub) stopAccepting(why *bool) []*Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	*why = true
	conns := make([]*Conn, 0, len(h.conns))
	for _, c := range h.conns {
		if h.closed || !c.observer {
			conns = append(conns, c)
		}
	}
	return conns
}

// Publish passes a message to the broker, which broadcasts it on every node. It sets m.Time
// if that is zero. With a key, a repeat within the broker's window is harmless. While the
// room has too much to broadcast, Publish waits before the message is accepted. Errors
// are those of [Hub.Reserve] and of the broker.
func (h *Hub) Publish(ctx context.Context, m *Message, key string) (Published, error) {
	return h.PublishFrom(ctx, nil, m, key)
}

// PublishFrom is Publish for a message that came from a connection of this hub. What the
// broadcast sends to that connection may wait for the reply, so that both leave in one
// write. The caller sends the reply at once and then calls [Conn.Uncork]. c may be nil.
func (h *Hub) PublishFrom(ctx context.Context, c *Conn, m *Message, key string) (Published, error) {
	if m.Time.IsZero() {
		m.Time = time.Now()
	}
	space, room, err := h.reserve(ctx, c, m.Channel, weightOf(m))
	if err != nil {
		return Published{}, err
	}
	if m.Direct != nil {
		// Without an offer, so that the sender's wait does not depend on who is in the room.
		defer space.Release()
		return h.broker.Publish(ctx, m, PublishOptions{Key: directKey(key)})
	}
	o := PublishOptions{Retention: room.Retention, Key: key, Feed: room.Feed}
	m.Volatile = m.Volatile && o.Retention.Size > 0
	if o.Retention.Size > 0 && !m.Volatile {
		m.Position.Anchor = m.Hash()
	}
	m.offerDrain(space.room)
	// Deferred, because after a panic a room that relies on the offer would stay silent.
	defer m.finishDrain(space, c)
	return h.broker.Publish(ctx, m, o)
}

// History reads retained messages of a room. Errors are the broker's.
func (h *Hub) History(ctx context.Context, channel string, q HistoryQuery) (HistoryPage, error) {
	return h.broker.History(ctx, channel, h.settings.Load().Room(channel).Retention, q)
}

// Broadcast sends messages of one room, in order, to the connections of this node. The
// broker calls it.
func (h *Hub) Broadcast(channel string, ms ...*Message) {
	if r := ms[0].foundRoom(); r != nil && r.broadcast(ms) {
		return
	}
	if r := h.room(channel); r != nil {
		r.broadcast(ms)
	}
}

// Announce sends an event other than a message to the connections that a room has on this
// node, in order with the messages.
func (h *Hub) Announce(channel string, ev Event) {
	if r := h.room(channel); r != nil {
		r.announce(ev)
	}
}
