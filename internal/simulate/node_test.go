package simulate

import (
	"errors"
	"log/slog"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/disk"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// The rooms of every history.
const (
	bare  = "bare:1"  // no history
	short = "short:1" // a short history, and slow readers lose messages
	kept  = "kept:1"  // a history that has all
	hall  = "hall:1"  // the same, with members
	desk  = "desk:1"  // a document
)

var roomNames = []string{kept, hall, desk, short, bare}

const (
	// grace is that of the hall.
	grace = 3 * time.Second
	// variants is how many configurations a reload chooses from.
	variants = 3
	// heartbeat and patience find a client that is gone.
	heartbeat, patience = 5 * time.Second, 2 * time.Second
)

// node is what package node makes of the parts, with wrappers of the simulator between them.
type node struct {
	store     *disk.Store // nil: in memory
	box       *memory.Outbox
	hub       *hub.Hub
	members   *presence.Tracker
	documents *document.Service
	registry  *session.Registry
	graceless bool // a mutation
}

// openNode starts a node, on the file in dir unless that is empty.
func openNode(dir string, sync time.Duration, f *faults) (n *node, err error) {
	n = &node{box: memory.NewOutbox(), graceless: f.is(noGrace)}
	if dir != "" {
		if n.store, err = disk.Open(disk.Options{Dir: dir, Hub: "simulated", Sync: sync, Return: grace, Logger: f.log}); err != nil {
			return nil, err
		}
		if n.box, err = n.store.Outbox(); err != nil {
			return nil, err
		}
		n.store.EndHolds()
	}
	if n.hub, err = hub.New(func(s hub.Sink) (hub.Broker, error) { return n.broker(f.sink(s), f) }); err != nil {
		return nil, err
	}
	n.members, err = presence.New(
		func(s presence.Sink) (presence.Store, error) { return f.membersOf(n.memberStore(s)), nil },
		func(channel string, fr presence.Frame) { n.hub.Announce(channel, protocol.PresenceEvent{Frame: fr}) },
	)
	if err != nil {
		return nil, err
	}
	n.documents, err = document.New(
		func(s document.Sink) (document.Store, error) { return n.documentStore(s, f) },
		func(news document.News) { n.hub.Announce(news.Channel, session.DocumentEvent(news)) },
	)
	if err != nil {
		return nil, err
	}
	n.documents.WithLogger(f.log)
	n.registry = session.New(n.hub).WithPresence(n.members).WithDocuments(n.documents)
	return n, nil
}

func (n *node) broker(s hub.Sink, f *faults) (hub.Broker, error) {
	o := memory.Options{Outbox: n.box}
	if n.store == nil {
		return f.broker(memory.New(s, o)), nil
	}
	b, err := n.store.Broker(s, o)
	return f.broker(b), err
}

func (n *node) memberStore(s presence.Sink) presence.Store {
	if n.store == nil {
		return memory.NewPresenceStore(s).Record(n.box)
	}
	return n.store.Presence(s)
}

func (n *node) documentStore(s document.Sink, f *faults) (document.Store, error) {
	if n.store == nil {
		return f.documents(memory.NewDocumentStore(s).Record(n.box)), nil
	}
	d, err := n.store.Documents(s, n.box)
	return f.documents(d), err
}

// apply brings a configuration into force.
func (n *node) apply(variant int, log *slog.Logger) error {
	p, err := policy.Compile(rules(variant))
	if err != nil {
		return err
	}
	members := presence.Settings{Room: p.Presence, Logger: log}
	if n.graceless {
		members.Room = nil
	}
	n.hub.Apply(hub.Settings{
		Room: p.Options, Heartbeat: heartbeat, Timeout: patience, WriteTimeout: writeTimeout, Logger: log,
		QueueMessages: []int{16, 8, 40}[variant%variants], QueueBytes: 256 << 10,
	})
	n.members.Apply(members)
	n.registry.Apply(session.Config{Policy: p, Logger: log})
	return nil
}

// rules are the room blocks of a configuration.
func rules(variant int) []policy.Room {
	room := func(pattern string, size int) policy.Room {
		return policy.Room{
			Pattern: pattern, Subscribe: policy.Anyone, Publish: policy.Anyone, ChangeAccess: policy.Anyone,
			History: hub.Retention{Size: size},
		}
	}
	all := []policy.Room{room("bare:*", 0), room("short:*", 4+variant%variants*3), room("kept:*", 500), room("hall:*", 500+variant), room("desk:*", 0)}
	all[1].Slow = hub.SlowDropOldest
	all[3].Members = &presence.Options{Grace: grace + time.Duration(variant%variants)*time.Second}
	all[4].Document = &document.Options{}
	return all
}

// close ends a node as package node does.
func (n *node) close() error {
	err := errors.Join(n.hub.Close(), n.members.Close(), n.documents.Close(), n.box.Close())
	if n.store != nil {
		err = errors.Join(err, n.store.Close())
	}
	return err
}

// frames is the native dialect with a line for each event.
type frames struct{}

var envelopes = native.Dialect{}.Encoder()

func (frames) AppendEvent(dst []byte, ev hub.Event) []byte {
	n := len(dst)
	if dst = envelopes.AppendEvent(dst, ev); len(dst) > n {
		dst = append(dst, '\n')
	}
	return dst
}

func (frames) AppendPing(dst []byte) []byte { return append(dst, "ping\n"...) }

func (frames) AppendClose(dst []byte, r hub.Reason) []byte {
	return append(dst, "close "+r.Text+"\n"...)
}
