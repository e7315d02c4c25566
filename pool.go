package realtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// nodes are the hubs of this process by name, counted by the configurations that
// have them.
var nodes = caddy.NewUsagePool()

// node is a hub with all that belongs to it on this node, from the first
// configuration that has it to the last. It is made without starting anything,
// because that is all a configuration may do before it is started.
type node struct {
	exiting func() bool // reports whether the process is about to exit; static

	// registry opens sessions; nil before the first apply.
	registry atomic.Pointer[session.Registry]
	// leaving refuses handshakes: the process is about to exit, or no configuration
	// has the hub any more.
	leaving atomic.Bool

	// Guarded by mu.
	mu      sync.Mutex
	hub     *hub.Hub // nil before the first apply, static afterwards
	backend backend
	members *presence.Tracker
	now     *use // in force; nil before the first apply
	next    *use // follows it, while its configuration is being started
	ended   bool

	documents *document.Service         // like hub
	verifiers map[string]*auth.Verifier // by realm, of the configuration in force
}

// handKeys gives verifiers the keys that those of the configuration in force have, so
// that a reload does not need the issuer. Both are by realm.
func (n *node) handKeys(verifiers map[string]*auth.Verifier) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for realm, v := range verifiers {
		v.TakeOver(n.verifiers[realm])
	}
}

func newNode(exiting func() bool) *node { return &node{exiting: exiting} }

func acquire(name string) *node {
	v, _, _ := nodes.LoadOrNew(name, func() (caddy.Destructor, error) { // without errors
		return newNode(func() bool { return exiting() }), nil
	})
	return v.(*node)
}

func release(name string) error {
	_, err := nodes.Delete(name)
	return err
}

// apply takes the settings of a configuration that starts. The first ones start the hub
// and are in force. Later ones are when the configuration before has handed over.
func (n *node) apply(u *use) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return hub.ErrClosed
	}
	if err := n.start(u.settings); err != nil {
		return fmt.Errorf("starting the hub: %w", err)
	}
	if n.now == nil {
		n.enforce(u)
	} else {
		n.next = u
	}
	return nil
}

// handOver is told that a configuration ends, or is given up before it was in force.
func (n *node) handOver(u *use) {
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

func (n *node) start(s *config.Settings) error {
	if n.hub != nil {
		if !n.backend.store.Same(s.Store) {
			return errStoreChanged
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
	documents, err := openDocuments(h, &n.backend, s.Hub.Logger)
	if err != nil {
		return errors.Join(err, h.Close(), members.Close(), n.backend.close())
	}
	n.hub, n.members, n.documents = h, members, documents
	registry := session.New(h).WithPresence(members).WithDocuments(documents)
	n.backend.control(registry)
	n.registry.Store(registry)
	return nil
}

// enforce puts settings in force, for the connections there are as well. Needs mu.
func (n *node) enforce(u *use) {
	n.now, n.next, n.verifiers = u, nil, u.verifiers
	n.hub.Apply(u.settings.Hub)
	n.backend.resize(u.settings.HistoryMemory)
	n.members.Apply(u.settings.Presence)
	n.registry.Load().Apply(u.settings.Session)
	u.decide(true)
}

const (
	// drainWindow is the time over which the clients are sent away at exit, at
	// most; drainPace shortens it where there are few.
	drainWindow = 5 * time.Second
	drainPace   = 5 * time.Millisecond
)

// drain refuses handshakes and sends the clients away, at different times, so that
// they do not all arrive elsewhere at once.
func (n *node) drain() {
	n.leaving.Store(true)
	n.mu.Lock()
	h := n.hub
	n.mu.Unlock()
	if h != nil {
		h.Drain(context.Background(), min(drainWindow, time.Duration(h.Conns())*drainPace))
	}
}

// Destruct ends the hub, when no configuration has it any more. While the process
// lives on, a client that does not read must not hold up a reload.
func (n *node) Destruct() error {
	n.leaving.Store(true)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	if n.hub == nil {
		return nil
	}
	if n.exiting() {
		return n.end()
	}
	n.hub.CloseConns(hub.ReasonReplaced)
	log := n.hub.Settings().Logger
	go func() {
		defer guard.Recover(log, "the end of a hub")
		if err := n.end(); err != nil {
			log.Error("ending a hub", "error", err)
		}
	}()
	return nil
}

// end waits for the connections, which leave their rooms, before it ends the
// presence and the documents of those.
func (n *node) end() error {
	return errors.Join(
		n.endPart(n.hub.Close), n.endPart(n.members.Close), n.endPart(n.documents.Close), n.endPart(n.backend.close),
	)
}

// errPanicked is the error of a part whose end panicked. The panic was logged.
var errPanicked = errors.New("internal error")

// endPart closes a part of the node. A panic of the part does not keep the next one open.
func (n *node) endPart(closePart func() error) error {
	err := errPanicked
	guard.Run(n.hub.Settings().Logger, "the end of a hub", func() { err = closePart() })
	return err
}
