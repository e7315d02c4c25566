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
	now     *settings // in force
	before  *settings // what to go back to if the configuration of now fails to start
	ended   bool

	documents *document.Service         // like hub
	verifiers map[string]*auth.Verifier // by realm, of the configuration started last
}

// takeOver gives verifiers the keys that those of the configuration before have, so
// that a reload is no time at which the issuer has to be there.
func (n *node) takeOver(realms map[string]*realm) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.verifiers
	n.verifiers = make(map[string]*auth.Verifier)
	for name, r := range realms {
		if r.tokens != nil {
			r.tokens.TakeOver(before[name])
			n.verifiers[name] = r.tokens
		}
	}
}

func acquire(name string) *node {
	v, _, _ := nodes.LoadOrNew(name, func() (caddy.Destructor, error) { // without errors
		return new(node), nil
	})
	return v.(*node)
}

func release(name string) error {
	_, err := nodes.Delete(name)
	return err
}

// apply puts settings in force, for the connections there are as well. The first
// one starts the hub.
func (n *node) apply(s *settings) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return hub.ErrClosed
	}
	if err := n.start(s); err != nil {
		return fmt.Errorf("starting the hub: %w", err)
	}
	n.before, n.now = n.now, s
	n.enforce()
	return nil
}

func (n *node) start(s *settings) error {
	if n.hub != nil {
		if !n.backend.store.same(s.store) {
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
	documents, err := openDocuments(h, &n.backend, s.hub.Logger)
	if err != nil {
		return errors.Join(err, h.Close(), members.Close(), n.backend.close())
	}
	n.hub, n.members, n.documents = h, members, documents
	registry := session.New(h).WithPresence(members).WithDocuments(documents)
	n.backend.control(registry)
	n.registry.Store(registry)
	return nil
}

func (n *node) enforce() {
	n.hub.Apply(n.now.hub)
	n.backend.resize(n.now.historyMemory)
	n.members.Apply(n.now.presence)
	n.registry.Load().Apply(n.now.session)
}

// revert goes back to what was in force before s, because the rest of the
// configuration of s did not start. The configuration before it runs on then.
func (n *node) revert(s *settings) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now != s || n.before == nil || n.ended {
		return
	}
	n.now, n.before = n.before, nil
	n.enforce()
}

// forget frees settings that are not gone back to any more.
func (n *node) forget(s *settings) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.before == s {
		n.before = nil
	}
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
	if exiting() {
		return n.end()
	}
	n.hub.Dismiss(hub.ReasonReplaced)
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
	return errors.Join(n.hub.Close(), n.members.Close(), n.documents.Close(), n.backend.close())
}
