package node

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Node is a hub with all that belongs to it on this node, from the first configuration
// that has it to the last. [New] starts nothing, because a configuration may only be
// validated; [Node.Apply] does.
type Node struct {
	exiting func() bool // reports whether the process is about to exit; static

	// registry opens sessions; nil before the first Apply.
	registry atomic.Pointer[session.Registry]
	// leaving rejects handshakes: the process is about to exit, or no configuration has
	// the hub any more.
	leaving atomic.Bool
	// draining rejects handshakes: an operator has commanded it.
	draining atomic.Bool
	apps     apps              // counts; it has its own lock
	polls    engineio.Sessions // they outlive configurations; it has its own lock
	intake   intake            // what other programs publish

	mu sync.Mutex
	// Guarded by mu.
	now       *Use                      // in force; nil before the first Apply
	next      *Use                      // follows it, while its configuration is being started
	verifiers map[string]*auth.Verifier // by realm, of the use in force
	ended     bool                      // true for good after Destruct
	drain     *commandedDrain           // the latest one; nil: there was none

	// Guarded by mu until ended is true, static afterwards. The hub, the members and the
	// documents are nil before the first Apply.
	hub       *hub.Hub
	backend   backend
	members   *presence.Tracker
	documents *document.Service
	events    *notify.Service
}

// New returns a node that is not started. exiting reports whether the process is about to
// exit.
func New(exiting func() bool) *Node { return &Node{exiting: exiting} }

// Registry returns what opens sessions; nil before the first Apply.
func (n *Node) Registry() *session.Registry { return n.registry.Load() }

// Polls returns the sessions of clients of Engine.IO who poll.
func (n *Node) Polls() *engineio.Sessions { return &n.polls }

// Leaving reports whether the node takes no new connections, because the process is about
// to exit, no configuration has the hub any more, or an operator drains the node.
func (n *Node) Leaving() bool { return n.leaving.Load() || n.draining.Load() }

// HandKeys gives verifiers the keys that those of the use in force have, so that a reload
// does not need the issuer. Both are by realm.
func (n *Node) HandKeys(verifiers map[string]*auth.Verifier) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for realm, v := range verifiers {
		v.TakeOver(n.verifiers[realm])
	}
}

// Apply takes the use of a configuration that starts. The first one starts the hub and is
// in force at once. A later one comes into force when the one before hands over.
func (n *Node) Apply(u *Use) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return hub.ErrClosed
	}
	if err := n.start(u.Settings); err != nil {
		return fmt.Errorf("starting the hub: %w", err)
	}
	if n.now == nil {
		n.enforce(u)
	} else {
		n.next = u
	}
	return nil
}

// HandOver is called when a configuration ends, or is given up before it was in force.
func (n *Node) HandOver(u *Use) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.next == u:
		n.next = nil
	case n.next != nil && n.now == u && !n.ended:
		n.enforce(n.next)
	}
	u.decide(false) // unless it was in force
}

func (n *Node) start(s *Settings) error {
	if n.hub != nil {
		if !n.backend.store.Same(s.Store) {
			return n.backend.store.changed(s.Store)
		}
		return nil
	}
	var err error
	if n.backend, err = openBackend(s); err != nil {
		return err
	}
	h, err := hub.New(n.backend.broker(s))
	if err != nil {
		return errors.Join(err, n.backend.close())
	}
	members, err := presence.New(
		n.backend.members,
		func(channel string, f presence.Frame) { h.Announce(channel, protocol.PresenceEvent{Frame: f}) },
	)
	if err != nil {
		return errors.Join(err, h.Close(), n.backend.close())
	}
	documents, err := document.New(
		n.backend.documents,
		func(news document.News) { h.Announce(news.Channel, session.DocumentEvent(news)) },
	)
	if err != nil {
		return errors.Join(err, h.Close(), members.Close(), n.backend.close())
	}
	n.hub, n.members, n.documents = h, members, documents.WithLogger(s.Hub.Logger)
	registry := session.New(h).WithPresence(members).WithDocuments(n.documents).WithHealth(n.Health).WithRecorder(recorder{n.backend.outbox})
	n.backend.control(registry)
	n.events = notify.New(n.backend.outbox, notify.Options{})
	n.registry.Store(registry)
	return nil
}

// enforce puts a use in force, also for the connections that there are. Needs mu.
func (n *Node) enforce(u *Use) {
	n.now, n.next, n.verifiers = u, nil, u.Verifiers
	n.hub.Apply(u.Settings.Hub)
	n.backend.resize(u.Settings.HistoryMemory)
	n.members.Apply(u.Settings.Presence)
	n.registry.Load().Apply(u.Settings.Session)
	n.applySinks(u.Settings)
	n.applyIntake(u.Settings)
	u.decide(true)
}

// awayLimit is how long a store may be out of reach until the node should get no new
// clients. A restart or a failover is shorter, and clients that stay notice little.
const awayLimit = 10 * time.Second

// Ready reports whether the node takes clients and can serve them.
func (n *Node) Ready() bool { return n.Health().Ready }

// Health is Ready, with the reasons against it.
func (n *Node) Health() session.Health {
	var h session.Health
	registry := n.registry.Load()
	n.mu.Lock()
	defer n.mu.Unlock()
	h.Reasons = n.obstacles(registry)
	h.Ready = len(h.Reasons) == 0
	if n.drain != nil {
		progress := n.drainProgress()
		h.Drain = &progress
	}
	return h
}

// obstacles returns why the node is not ready. Needs mu.
func (n *Node) obstacles(registry *session.Registry) (reasons []string) {
	if registry == nil {
		return []string{"the hub has not started"}
	}
	switch {
	case n.ended || n.leaving.Load():
		reasons = append(reasons, "the hub ends")
	case n.draining.Load():
		reasons = append(reasons, "the node drains")
	}
	if !registry.Ready() {
		reasons = append(reasons, "the node has not reached Redis yet, so it does not know which tokens are revoked")
	}
	switch away := n.backend.away(); {
	case away == math.MaxInt64:
		reasons = append(reasons, "Redis has not been reached yet")
	case away >= awayLimit:
		reasons = append(reasons, "Redis has been unusable for "+away.Round(time.Second).String())
	}
	return reasons
}
