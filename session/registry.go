package session

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/trim"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Registry is the set of sessions of one hub, with the rules that apply to them. What clients
// can do, and what operators can do to clients, are capabilities: structs of their own, each
// with references to the few things that it needs.
type Registry struct {
	// The capabilities. Static after New, apart from what With… adds.
	Admission   Admission
	Publishing  Publishing
	Presence    Presence
	Documents   Documents
	Kicks       Kicks
	Revocations Revocations
	Rates       Rates
	Memory      Memory
	Inspection  Inspection
	Enrollment  Enrollment
	Audience    Audience
	Watchlists  Watchlists
	Streams     Streams

	// Static after New.
	hub      *hub.Hub
	recorder Recorder // nil: none

	sessions sessions
	cluster  cluster
	trim     trim.Trimmer
	lost     lostConns

	applying sync.Mutex // one Apply at a time
	rules    current
}

// New returns a registry that allows nothing until [Registry.Apply] is called.
func New(h *hub.Hub) *Registry {
	r := &Registry{hub: h}
	r.lost.most = maxLostRooms
	u, s := &r.rules, &r.sessions
	u.Store(newRules(Config{}))
	s.rules, s.all, s.streams = u, make(map[*Session]struct{}), make(map[string]*Session)
	r.cluster.rules = u
	r.Rates.init(u)
	r.Memory.rules = u
	r.Admission.init(r)
	r.Presence.rules, r.Presence.rates = u, &r.Rates
	r.Publishing.hub, r.Publishing.rules, r.Publishing.rates, r.Publishing.presence = h, u, &r.Rates, &r.Presence
	r.Documents = Documents{hub: h, rules: u, rates: &r.Rates}
	r.Kicks.hub, r.Kicks.rules, r.Kicks.sessions, r.Kicks.cluster = h, u, s, &r.cluster
	r.Kicks.lost = &r.lost
	r.Inspection.init(h, u, s)
	r.Audience.init(r)
	r.Watchlists.init(r)
	r.Enrollment = Enrollment{rules: u, sessions: s, cluster: &r.cluster, lost: &r.lost}
	r.Streams.init(r)
	r.Revocations.rules, r.Revocations.sessions, r.Revocations.cluster = u, s, &r.cluster
	return r
}

// WithControl makes all nodes carry out orders to close connections; without it, only this
// node does. open makes the control, which hands the orders of other nodes to the registry.
// Until [Registry.Informed] is called, the registry accepts no tokens, because it does not
// know yet which tokens were revoked. WithControl is called before the first session is
// opened, and returns r.
func (r *Registry) WithControl(open func(hub.Executor) Control) *Registry {
	r.Revocations.uninformed.Store(true)
	r.cluster.control = open(r)
	r.sessions.heads, _ = r.cluster.control.(Headcount)
	if asker, ok := r.cluster.control.(Asker); ok {
		r.Inspection.asker, r.Inspection.node.Name = asker, asker.Node()
	}
	if others, ok := r.cluster.control.(Forwarder); ok {
		r.Streams.others, r.Streams.node = others, others.Node()
	}
	return r
}

// WithPresence sets the tracker of members. Without it no room has presence. It is called
// before the first session is opened, and returns r.
func (r *Registry) WithPresence(t *presence.Tracker) *Registry {
	r.Presence.tracker, r.Inspection.members = t, t
	return r
}

// WithHealth sets what reports whether the node takes clients. Without it the node always
// does. It is called before the first session is opened, and returns r.
func (r *Registry) WithHealth(health func() Health) *Registry {
	r.Inspection.health = health
	return r
}

// WithDocuments sets the service of documents. Without it no room has a document. It is called
// before the first session is opened, and returns r. The news that the service announces must
// go through [DocumentEvent] to the hub.
func (r *Registry) WithDocuments(s *document.Service) *Registry {
	r.Documents.service = s
	return r
}

// Hub is the hub the sessions use.
func (r *Registry) Hub() *hub.Hub { return r.hub }

// MessageSize is the greatest size of a client's frame, in bytes. A transport
// closes a connection that sends a larger one, before reading it whole.
func (r *Registry) MessageSize() int { return r.rules.Load().limits.MessageSize }

// Apply puts c in force, also for live sessions. Subscriptions that are not allowed any more
// end with an `unsubscribed` event that says why. Connections beyond a lowered limit stay
// open.
func (r *Registry) Apply(c Config) {
	r.applying.Lock()
	defer r.applying.Unlock()
	rules := newRules(c)
	r.rules.Store(rules)
	r.Audience.apply(rules)
	r.Watchlists.apply(c.Watchlists)
	r.sessions.countUsers(rules.limits.ConnectionsPerUser)
	for _, s := range r.sessions.snapshot() {
		s.applyRules(rules)
	}
}

// May decides whether c may do a in channel; nil means it may. The errors are
// INVALID_CHANNEL, UNAUTHORIZED and FORBIDDEN. A channel that no room opens is
// INVALID_CHANNEL for the app, whose mistake would otherwise go unnoticed, and FORBIDDEN
// for everybody else.
func (r *Registry) May(c Caller, a policy.Action, channel string) *protocol.Error {
	return r.rules.Load().may(c, a, channel)
}

// MayAnywhere decides whether c may do a in any channel at all. With an error, the channels
// that a request names need not be checked. The errors are UNAUTHORIZED and FORBIDDEN.
func (r *Registry) MayAnywhere(c Caller, a policy.Action) *protocol.Error {
	if c.App {
		return c.Scope.AllowAnywhere(a)
	}
	return r.rules.Load().policy.AllowAnywhere(a, &c.who().Subject)
}

// MayHaveChannels returns LIMIT_EXCEEDED if no connection may subscribe to n channels. A
// transport whose clients name all their channels at once calls it before it opens a session.
func (r *Registry) MayHaveChannels(n int) *protocol.Error {
	if limit := r.rules.Load().limits.Channels; over(n-1, limit) {
		return tooManyChannels(limit)
	}
	return nil
}

var _ hub.Executor = (*Registry)(nil)

// Execute implements [hub.Executor].
func (r *Registry) Execute(body []byte, ago time.Duration) (ended int, err error) {
	o, err := decodeOrder(body)
	switch {
	case err != nil:
		r.rules.Load().log.Warn("an order of another node is not understood", "error", err)
	case o.Kick != nil && o.Kick.Connection != "":
		ended = r.Kicks.connection(o.Kick.Connection, o.Kick.reason())
	case o.Kick != nil:
		ended = r.Kicks.user(o.Kick.User, o.Kick.reason(), time.Now().Add(-ago))
	case o.Revoke != nil:
		ended = r.Revocations.revoke(o.Revoke.revocation())
	case o.Enroll != nil:
		ended = r.Enrollment.carryOut(*o.Enroll)
	case o.Pardon != nil:
		r.Revocations.list.Drop(o.Pardon.User, o.Pardon.IDs)
	}
	return ended, err
}

// Informed implements [hub.Executor].
func (r *Registry) Informed() { r.Revocations.uninformed.Store(false) }

// Ready reports whether the registry accepts tokens, see [Registry.WithControl].
func (r *Registry) Ready() bool { return !r.Revocations.uninformed.Load() }
