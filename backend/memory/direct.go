package memory

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// publishDirect sends a message to one member. Of the room it takes nothing but the
// order of what is broadcast, and a place for the key.
func (b *Broker) publishDirect(s *shard, m *hub.Message, key string) (hub.Published, error) {
	now := time.Now()
	m.Position = hub.Position{}
	r, err := s.pin(m.Channel, now.Sub(b.born), key != "")
	if err != nil {
		return hub.Published{}, err
	}
	if r == nil {
		b.sink.Broadcast(m.Channel, m)
		return hub.Published{}, nil
	}
	duplicate := b.directIn(r, now, m, key)
	b.bound()
	return hub.Published{Duplicate: duplicate}, nil
}

// directIn takes a pinned room and unpins it.
func (b *Broker) directIn(r *room, now time.Time, m *hub.Message, key string) (duplicate bool) {
	defer r.unpin()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, duplicate = r.keys.find(now.Sub(b.born), key, b.o.KeyWindow); duplicate {
		return true
	}
	if key != "" {
		r.remember(now.Sub(b.born), key, hub.Position{}, b.o)
		b.account(r)
	}
	b.sink.Broadcast(m.Channel, m)
	return false
}
