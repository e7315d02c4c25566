package node

import (
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Stats are the figures of a node for an operator. Counters start with the hub, live as long
// as it does, and never fall.
type Stats struct {
	Ready     bool
	Hub       hub.Stats
	Conns     hub.ConnStats
	Sessions  session.Counts
	Presence  presence.Stats
	Documents document.Stats
	Memory    *memory.Stats               // nil with another store
	Redis     *redis.Stats                // nil without Redis
	Apps      map[string]tally.CallCounts // the requests to the app, by option
	Events    []notify.Stats              // of each sink that is notified
}

// Stats returns the current figures; false before the node has started and after its end. It
// visits all rooms and connections, so it is for a caller that asks every few seconds.
func (n *Node) Stats() (s Stats, running bool) {
	h, b, members, documents := n.parts()
	if h == nil {
		return s, false
	}
	s = Stats{
		Ready: n.Ready(), Hub: h.Stats(), Conns: h.ConnStats(), Sessions: n.Registry().Counts(),
		Presence: members.Stats(), Documents: documents.Stats(), Apps: n.apps.counts(), Events: n.EventStats(),
	}
	s.Memory, s.Redis = b.stats()
	return s, true
}

// parts returns what the figures are about; nil before the first Apply and after Destruct.
func (n *Node) parts() (*hub.Hub, *backend, *presence.Tracker, *document.Service) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended || n.hub == nil {
		return nil, nil, nil, nil
	}
	return n.hub, &n.backend, n.members, n.documents
}

// AppCalls returns what counts the requests to the app of an option, such as `authorize`.
// Configurations share it, so that a reload loses no count.
func (n *Node) AppCalls(option string) *tally.Calls { return n.apps.of(option) }
