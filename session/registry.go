package session

import (
	"cmp"
	"log/slog"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Config is what may change while sessions live.
type Config struct {
	// Policy says who may do what; nil allows nothing.
	Policy *policy.Policy
	Limits Limits
	// Realms are those that connections came through, by name.
	Realms map[string]Realm
	// Logger gets ended connections (debug) and failures; nil means none.
	Logger *slog.Logger
}

// Registry is the set of sessions of one hub, with the rules they live by.
type Registry struct {
	// Static after New.
	hub     *hub.Hub
	callers buckets[string]     // message rate of callers without a connection
	rooms   buckets[roomKey]    // publish rate of the same, for each room
	totals  buckets[string]     // what all publishers of a channel may send together
	abusers buckets[string]     // those who were thrown out, see comebacks
	knocks  buckets[netip.Addr] // handshakes of each address
	members *presence.Tracker

	reserved reservations // what requests of the HTTP API hold

	documents *document.Service

	revocations auth.Revocations
	dismissed   dismissals
	control     Control     // nil: there are no other nodes
	heads       Headcount   // control, if it can; else nil
	uninformed  atomic.Bool // revocations of other nodes are not known yet

	applying sync.Mutex // one Apply at a time
	rules    atomic.Pointer[rules]

	// Guarded by mu.
	mu         sync.Mutex
	handshakes bucket
	census     census
	counting   bool // heads is told of changes of the census
	sessions   map[*Session]struct{}
}

// rules are a Config with its defaults filled in. But for warned they never change.
type rules struct {
	policy *policy.Policy
	limits Limits
	realms map[string]Realm
	log    *slog.Logger

	warned atomic.Int64 // see loudness
}

func newRules(c Config) *rules {
	return &rules{
		policy: c.Policy,
		limits: c.Limits.withDefaults(),
		realms: maps.Clone(c.Realms),
		log:    cmp.Or(c.Logger, slog.New(slog.DiscardHandler)),
	}
}

// New returns a registry that allows nothing until [Registry.Apply] is called.
func New(h *hub.Hub) *Registry {
	r := &Registry{hub: h, sessions: make(map[*Session]struct{})}
	r.callers.limit, r.rooms.limit, r.abusers.limit = maxCallers, maxCallers, maxCallers
	r.totals.limit, r.knocks.limit = maxCallers, maxCallers
	r.rules.Store(newRules(Config{}))
	return r
}

// Hub is the hub the sessions use.
func (r *Registry) Hub() *hub.Hub { return r.hub }

// MessageSize is the greatest size of a client's frame, in bytes. A transport
// closes a connection that sends a larger one, before reading it whole.
func (r *Registry) MessageSize() int { return r.rules.Load().limits.MessageSize }

// Apply puts c in force, for live sessions as well. Subscriptions that are not
// allowed any more end with an `unsubscribed` event that says why. Connections
// beyond a limit that became smaller stay.
func (r *Registry) Apply(c Config) {
	r.applying.Lock()
	defer r.applying.Unlock()
	rules := newRules(c)
	r.rules.Store(rules)
	r.countUsers(rules.limits.ConnectionsPerUser)
	for _, s := range r.snapshot() {
		s.applyRules(rules)
	}
}

// snapshot lists the sessions, so that they can be visited without the lock.
func (r *Registry) snapshot() []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*Session, 0, len(r.sessions))
	for s := range r.sessions {
		all = append(all, s)
	}
	return all
}
