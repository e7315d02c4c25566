package node

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// backend keeps the messages, members and documents of a hub.
type backend struct {
	store  Store          // that it was made for
	memory *memory.Broker // nil with Redis
	box    *memory.Outbox // the same
	disk   *disk.Store    // nil without 'store'
	redis  *redis.Client  // nil without
	shared hub.Broker     // of Redis; nil without
	orders *redis.Control // the same
	outbox notify.Outbox
}

// openBackend starts what connects to a store. It does not wait for the store, except for
// a moment in which other nodes can show that they look for rooms in other places.
func openBackend(s *Settings) (b backend, err error) {
	b.store = s.Store
	if s.Store.Redis == nil {
		b.box = memory.NewOutbox()
		b.outbox = b.box
		err = b.openDisk(s)
		return b, err
	}
	o := *s.Store.Redis
	o.Logger = s.Hub.Logger
	if b.redis, err = redis.Open(o); err != nil {
		return b, err
	}
	b.outbox = b.redis.Outbox()
	if err := b.redis.Join(context.Background()); err != nil {
		return b, errors.Join(err, b.close())
	}
	// The members of a node that died may leave as soon as this node has a lease.
	notify.Choose(b.outbox, s.Sinks, s.Buffer)
	return b, nil
}

// openDisk opens the file that keeps rooms, if there is to be one.
func (b *backend) openDisk(s *Settings) (err error) {
	if s.Store.Disk == nil {
		return nil
	}
	o := *s.Store.Disk
	o.Logger = s.Hub.Logger
	if b.disk, err = disk.Open(o); err != nil {
		return err
	}
	if b.box, err = b.disk.Outbox(); err != nil {
		return errors.Join(err, b.disk.Close())
	}
	b.outbox = b.box
	notify.Choose(b.outbox, s.Sinks, s.Buffer)
	b.disk.EndHolds()
	return nil
}

func (b *backend) broker(s *Settings) func(hub.Sink) (hub.Broker, error) {
	return func(sink hub.Sink) (hub.Broker, error) {
		if b.redis != nil {
			b.shared = b.redis.Broker(sink)
			return b.shared, nil
		}
		o := memory.Options{HistoryBytes: s.HistoryMemory, Outbox: b.box}
		if b.disk != nil {
			broker, err := b.disk.Broker(sink, o)
			if err != nil {
				return nil, err
			}
			b.memory = broker.Memory()
			return broker, nil
		}
		b.memory = memory.New(sink, o)
		return b.memory, nil
	}
}

func (b *backend) members(sink presence.Sink) (presence.Store, error) {
	if b.redis != nil {
		return b.redis.Presence(sink), nil
	}
	if b.disk != nil {
		return b.disk.Presence(sink), nil
	}
	return memory.NewPresenceStore(sink).Record(b.box), nil
}

// control connects the sessions with the other nodes, if there are any, or with the file that
// keeps revocations.
func (b *backend) control(r *session.Registry) {
	if b.disk != nil {
		r.WithControl(func(e hub.Executor) session.Control { return b.disk.Control(e) })
		return
	}
	if b.redis == nil {
		return
	}
	r.WithControl(func(e hub.Executor) session.Control {
		b.orders = b.redis.Control(e)
		return b.orders
	})
}

func (b *backend) documents(sink document.Sink) (document.Store, error) {
	if b.redis != nil {
		return b.redis.Documents(sink), nil
	}
	if b.disk != nil {
		return b.disk.Documents(sink, b.box)
	}
	return memory.NewDocumentStore(sink).Record(b.box), nil
}

// away returns how long the store has been unusable.
func (b *backend) away() time.Duration {
	if b.redis == nil {
		return 0
	}
	return b.redis.Away()
}

// stats returns the figures of the store that the hub has.
func (b *backend) stats() (*memory.Stats, *redis.Stats) {
	if b.redis == nil {
		return new(b.memory.Stats()), nil
	}
	return nil, new(b.redis.Stats(b.shared))
}

func (b *backend) resize(bytes int64) {
	if b.memory != nil {
		b.memory.Resize(bytes)
	}
}

// close closes the connections to the store. Nothing may use the store afterwards.
func (b *backend) close() error {
	err := b.outbox.Close()
	if b.disk != nil {
		err = errors.Join(err, b.disk.Close())
	}
	if b.redis == nil {
		return err
	}
	if b.orders != nil {
		b.orders.Close()
	}
	return b.redis.Close()
}

// Paths returns where clients come in by the configuration that is in force.
func (n *Node) Paths() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now == nil {
		return nil
	}
	return n.now.Settings.Paths
}

// Backend returns the word for where the rooms are kept: memory, disk or redis.
func (n *Node) Backend() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.backend.redis != nil:
		return "redis"
	case n.backend.disk != nil:
		return "disk"
	}
	return "memory"
}
