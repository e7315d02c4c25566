package memory

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// publishUnplaced sends a message to one member, or a volatile one. It uses the room only for
// the order of broadcasts and for the key.
func (b *Broker) publishUnplaced(s *shard, m *hub.Message, key string) (hub.Published, error) {
	now := time.Now()
	m.Position = hub.Position{}
	r, err := s.pin(m.Channel, now.Sub(b.born), key != "")
	if err != nil {
		return hub.Published{}, err
	}
	if r == nil {
		b.o.Outbox.recordMessage(m)
		b.sink.Broadcast(m.Channel, m)
		return hub.Published{}, nil
	}
	p, err := b.unplacedIn(r, now, m, key)
	b.bound()
	return p, err
}

// unplacedIn sends the message in a pinned room and unpins the room.
func (b *Broker) unplacedIn(r *room, now time.Time, m *hub.Message, key string) (hub.Published, error) {
	defer r.unpin()
	digest := digestFor(key, m)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.keys.find(now.Sub(b.born), key, b.o.KeyWindow); ok {
		if s.digest != digest {
			return hub.Published{}, hub.ErrKeyReused
		}
		return hub.Published{Duplicate: true}, nil
	}
	if key != "" {
		r.remember(now.Sub(b.born), key, hub.Position{}, digest, b.o)
		b.account(r)
	}
	b.o.Outbox.recordMessage(m)
	b.sink.Broadcast(m.Channel, m)
	return hub.Published{}, nil
}
