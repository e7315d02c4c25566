package redis

import (
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// maxHeld bounds what is held back of a room while it is repaired; what is more
	// is read from the stream.
	maxHeld = 1024
	// remembered is of how many messages the anchors are known, to tell a message
	// that came twice from another one at its offset.
	recentMessages = 64
)

// room is what a node knows of a channel that is attached: up to where it has
// broadcast.
type room struct {
	// Set when it is made.
	b       *Broker
	channel string

	mu sync.Mutex
	// All below is guarded by mu, which is held while the sink is called.
	stopped       bool
	retention     hub.Retention
	at            hub.Position            // broadcast up to here; zero: it is not known
	logDropped    bool                    // at is zero because the log was dropped: of a new one nothing was delivered
	anchors       *[recentMessages]uint32 // of the messages before, by offset
	repairing     bool
	held          []*hub.Message
	overflow      bool      // more had to be held back than may be
	busy          bool      // something came since the last comparison of idle rooms
	lifetimesSent time.Time // when Redis was last told how long to keep the log
}

func newRoom(b *Broker, channel string) *room { return &room{b: b, channel: channel} }

// keep notes the latest retention.
func (r *room) setRetention(to hub.Retention) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retention = to
}

// refresh reports that Redis is to be told how long to keep the log, and takes it
// that it will be.
func (r *room) needsLifetimes(now time.Time, keep hub.Retention) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	every := keep.TTL / 10
	if every == 0 || every > time.Hour {
		every = time.Hour
	}
	if r.retention == keep && now.Sub(r.lifetimesSent) < every {
		return false
	}
	r.retention, r.lifetimesSent = keep, now
	return true
}

// placed reports that the room's position is known.
func (r *room) hasPosition() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.at.IsZero()
}

// position is what the room has broadcast up to.
func (r *room) position() hub.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// unplace forgets the position, because the log was dropped.
func (r *room) forgetPosition() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.logDropped = hub.Position{}, true
}

// end stops deliveries for good.
func (r *room) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

// subscribed has the position compared: something may have been missed before. Of a
// room that is being attached nothing was, and [Broker.Attach] asks for its position.
func (r *room) subscribed() {
	r.mu.Lock()
	begun := !r.at.IsZero() || r.logDropped
	r.mu.Unlock()
	if begun {
		r.b.toCompare.add(r)
	}
}

// receive takes a message from Pub/Sub.
func (r *room) receive(payload string) {
	if payload == "" {
		return
	}
	switch {
	case payload[0] == 'e':
		r.receivePlain(parsePlain(r.channel, payload))
	case strings.HasPrefix(payload, directMark):
		r.receivePlain(parseDirect(r.channel, payload))
	default:
		if m, err := parsePlaced(r.channel, payload); err == nil {
			r.receivePlaced(m)
		}
	}
}

// receivePlain takes a message that has no position.
func (r *room) receivePlain(m *hub.Message, id serial, err error) {
	if err == nil && !(id.node == r.b.c.node && r.b.local.cameBack(id)) {
		r.deliverPlain(m)
	}
}

func (r *room) deliverPlain(m *hub.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.b.sink.Broadcast(r.channel, m)
	}
}

// take decides what becomes of a message with a position.
func (r *room) receivePlaced(m *hub.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch next, known := r.classify(m); {
	case r.stopped || known:
	case r.repairing:
		r.hold(m)
	case next:
		r.deliver(m)
	default:
		r.hold(m)
		r.startRepair()
	}
}

// judge reports that a message is the one to be delivered now, or that it was.
// Needs mu.
func (r *room) classify(m *hub.Message) (next, known bool) {
	p := m.Position
	if r.at.IsZero() {
		return true, false
	}
	if p.Epoch != r.at.Epoch || p.Offset > r.at.Offset {
		return p.Epoch == r.at.Epoch && p.Offset == r.at.Offset+1, false
	}
	return false, r.anchorAt(p.Offset) == p.Anchor
}

// anchor is that of a message delivered lately, or 0. Needs mu.
func (r *room) anchorAt(offset uint64) uint32 {
	if offset == r.at.Offset && r.at.Anchor != 0 {
		return r.at.Anchor
	}
	if r.anchors == nil || r.at.Offset-offset >= recentMessages {
		return 0
	}
	return r.anchors[offset%recentMessages]
}

// deliver broadcasts messages that follow. Needs mu.
func (r *room) deliver(ms ...*hub.Message) {
	if len(ms) == 0 || r.stopped {
		return
	}
	if r.anchors == nil {
		r.anchors = new([recentMessages]uint32)
	}
	if p := ms[0].Position; p.Epoch != r.at.Epoch || p.Offset != r.at.Offset+1 {
		clear(r.anchors[:])
	}
	for _, m := range ms {
		r.anchors[m.Position.Offset%recentMessages] = m.Position.Anchor
	}
	r.at, r.logDropped, r.busy = ms[len(ms)-1].Position, false, true
	r.b.sink.Broadcast(r.channel, ms...)
}

// hold keeps a message until the repair is over. Needs mu.
func (r *room) hold(m *hub.Message) {
	if len(r.held) >= maxHeld {
		r.overflow = true
		return
	}
	r.held = append(r.held, m)
}

// skip goes on at a position; what lies before is lost to this node. Needs mu.
func (r *room) skip(to hub.Position) {
	r.at, r.logDropped, r.anchors = to, false, nil
	r.b.lostHoles.Add(1)
	if s, ok := r.b.sink.(skipper); ok && !r.stopped {
		s.Skip(r.channel, to)
	}
}

// idle reports that nothing came since it was last asked.
func (r *room) takeIdle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.busy
	r.busy = false
	return !was && r.retention.Size > 0 && !r.repairing
}
