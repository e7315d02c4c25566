package redis

import (
	"strings"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

const (
	// maxHeld is how many messages of a room are held during a repair. Further messages are
	// read from the stream later.
	maxHeld = 1024
	// recentMessages is how many of the latest messages keep their anchor. With the anchor a
	// message that arrives twice differs from another message at the same offset.
	recentMessages = 64
)

// room delivers the messages of one attached channel in order. It knows up to where it has
// delivered. A message that is too early starts a repair (room_repair.go), which reads what is
// missing.
type room struct {
	// Set when it is made.
	b       *Broker
	channel string

	mu sync.Mutex
	// All below is guarded by mu, which is held while the sink is called.
	stopped       bool
	retention     hub.Retention
	at            hub.Position            // delivered up to here; zero: unknown
	logDropped    bool                    // at is zero because the log was dropped; nothing of a new log was delivered
	anchors       *[recentMessages]uint32 // of the latest messages, by offset
	repairing     bool
	held          []*hub.Message
	overflow      bool      // more messages had to be held than maxHeld
	busy          bool      // something arrived since the last takeIdle
	lifetimesSent time.Time // when Redis was last told how long to keep the log
}

func newRoom(b *Broker, channel string) *room { return &room{b: b, channel: channel} }

// setRetention notes the latest retention.
func (r *room) setRetention(to hub.Retention) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retention = to
}

// needsLifetimes reports whether the next publish must tell Redis how long to keep the log. If
// so, it notes that the publish does.
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

// hasPosition reports whether the room's position is known.
func (r *room) hasPosition() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.at.IsZero()
}

// position returns the position up to which messages were delivered.
func (r *room) position() hub.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// forgetPosition forgets the position, because the log was dropped.
func (r *room) forgetPosition() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.logDropped = hub.Position{}, true
}

// stop ends deliveries for good.
func (r *room) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

// subscribed queues the room for a comparison: it may have missed messages before the
// subscription. A room that is being attached has missed none, and [Broker.Attach] reads its
// position.
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
	case strings.HasPrefix(payload, volatileMark):
		r.receivePlain(parseVolatile(r.channel, payload))
	default:
		if m, err := parsePlaced(r.channel, payload); err == nil {
			r.receivePlaced(m)
		}
	}
}

// receivePlain takes a message without position.
func (r *room) receivePlain(m *hub.Message, id serial, err error) {
	if err == nil && !(id.node == r.b.c.node && r.b.local.cameBack(id)) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.stopped {
			r.b.broadcastDue(r.channel, m)
		}
	}
}

func (r *room) deliverPlain(m *hub.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.b.sink.Broadcast(r.channel, m)
	}
}

// receivePlaced takes a message with a position. It delivers the message, holds it, or drops
// one that was delivered before.
func (r *room) receivePlaced(m *hub.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch next, known := r.classify(m); {
	case r.stopped || known:
	case r.repairing:
		r.hold(m)
	case next:
		r.advance(m)
		r.b.broadcastDue(r.channel, m)
	default:
		r.hold(m)
		r.startRepair()
	}
}

// classify compares a message with the room's position. next: it must be delivered now. known:
// it was delivered before. Needs mu.
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

// anchorAt returns the anchor of a recently delivered message, or 0. Needs mu.
func (r *room) anchorAt(offset uint64) uint32 {
	if offset == r.at.Offset && r.at.Anchor != 0 {
		return r.at.Anchor
	}
	if r.anchors == nil || r.at.Offset-offset >= recentMessages {
		return 0
	}
	return r.anchors[offset%recentMessages]
}

// deliver broadcasts messages that come next. Needs mu.
func (r *room) deliver(ms ...*hub.Message) {
	if len(ms) == 0 || r.stopped {
		return
	}
	r.advance(ms...)
	r.b.sink.Broadcast(r.channel, ms...)
}

// advance notes that messages that come next are delivered now. Needs mu.
func (r *room) advance(ms ...*hub.Message) {
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
}

// hold keeps a message until the repair is over. Needs mu.
func (r *room) hold(m *hub.Message) {
	if len(r.held) >= maxHeld {
		r.overflow = true
		return
	}
	r.held = append(r.held, m)
}

// skip continues at a position. The node has lost what lies before it. Needs mu.
func (r *room) skip(to hub.Position) {
	r.at, r.logDropped, r.anchors = to, false, nil
	r.b.lostHoles.Add(1)
	if s, ok := r.b.sink.(skipper); ok && !r.stopped {
		s.Skip(r.channel, to)
	}
}

// takeIdle reports whether nothing arrived since the last call.
func (r *room) takeIdle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.busy
	r.busy = false
	return !was && r.retention.Size > 0 && !r.repairing
}
