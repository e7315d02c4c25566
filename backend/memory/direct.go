package memory

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// publishUnplaced sends a message to one member, or a volatile one. It uses the room only for
// the order of broadcasts and for the key.
func (b *Broker) publishUnplaced(s *shard, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	now := time.Now()
	m.Position = hub.Position{}
	r, err := s.pin(m.Channel, now.Sub(b.born), o.Key != "")
	if err != nil {
		return hub.Published{}, err
	}
	if r == nil {
		b.o.Outbox.recordMessage(m)
		b.broadcast(m, o.Feed)
		return hub.Published{}, nil
	}
	p, err := b.unplacedIn(r, now, m, o)
	b.bound()
	return p, err
}

// unplacedIn sends the message in a pinned room and unpins the room.
func (b *Broker) unplacedIn(r *room, now time.Time, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	defer r.unpin()
	digest := digestFor(o.Key, m)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.keys.find(now.Sub(b.born), o.Key, b.o.KeyWindow); ok {
		if s.digest != digest {
			return hub.Published{}, hub.ErrKeyReused
		}
		return hub.Published{Duplicate: true}, nil
	}
	if o.Key != "" {
		r.remember(now.Sub(b.born), o.Key, hub.Position{}, digest, b.o)
		b.account(r)
	}
	b.o.Outbox.recordMessage(m)
	b.broadcast(m, o.Feed)
	return hub.Published{}, nil
}
