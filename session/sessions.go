package session

import (
	"context"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// sessions is the table of the live sessions of this node, and counts them.
type sessions struct {
	// Static before the first session is opened.
	rules *current
	heads Headcount // nil: connections to other nodes are not counted

	changed func(user string)           // notified when a user comes or goes; static, may be nil, does not block
	watch   atomic.Pointer[Connections] // nil: nothing is notified, see WatchConnections

	// Guarded by mu.
	mu         sync.Mutex
	handshakes bucket
	census     census
	counting   bool // heads is notified of changes of the census
	all        map[*Session]struct{}
	streams    map[string]*Session // the fixed ones by connection, see [Streams]
}

// enter adds a session to the table and counts it. From then on Apply visits it.
func (t *sessions) enter(s *Session) *protocol.Error {
	limits := t.rules.Load().limits
	t.mu.Lock()
	defer t.mu.Unlock()
	if what := t.census.exceeds(s.who(), limits); what != "" {
		return limitReached(what)
	}
	t.tally(s.who(), 1)
	t.all[s] = struct{}{}
	return nil
}

// leave removes a session from the table. A second call does nothing.
func (t *sessions) leave(s *Session) {
	conn := s.connection()
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.all[s]; there {
		delete(t.all, s)
		t.tally(s.who(), -1)
	}
	if s.fixed && conn != nil {
		delete(t.streams, conn.ID())
	}
}

// addStream makes a stream findable by its connection, unless the stream is over.
func (t *sessions) addStream(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.all[s]; there {
		t.streams[s.conn.ID()] = s
	}
}

// stream returns the stream with a connection, or nil.
func (t *sessions) stream(connection string) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.streams[connection]
}

// rename gives a session its next principal and moves it in the census. It checks mayBecome
// again: the session may have another principal than the one that the caller compared.
func (t *sessions) rename(s *Session, next *Principal) *protocol.Error {
	limits := t.rules.Load().limits
	t.mu.Lock()
	defer t.mu.Unlock()
	old := s.who()
	if _, there := t.all[s]; !there {
		return protocol.AsError(hub.ErrClosed)
	}
	if e := mayBecome(old, next); e != nil {
		return e
	}
	if old.User != next.User && over(t.census.users[next.User], limits.ConnectionsPerUser) {
		return limitReached("too many connections of this user")
	}
	t.tally(old, -1)
	t.tally(next, 1)
	s.principal.Store(next)
	return nil
}

// snapshot lists the sessions, so that they can be visited without the lock.
func (t *sessions) snapshot() []*Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*Session, 0, len(t.all))
	for s := range t.all {
		all = append(all, s)
	}
	return all
}

// named returns the session with a connection, or nil. It visits all sessions.
func (t *sessions) named(connection string) *Session {
	for _, s := range t.snapshot() {
		if conn := s.connection(); conn != nil && conn.ID() == connection {
			return s
		}
	}
	return nil
}

// Here lists the sessions of this node that speak a dialect and whose connections are asked for. is must
// not block.
func (r *Registry) Here(dialect string, is func(*hub.Conn) bool) (found []*Session) {
	for _, s := range r.sessions.snapshot() {
		if conn := s.connection(); conn != nil && dialectName(s.dialect) == dialect && is(conn) {
			found = append(found, s)
		}
	}
	return found
}

// Conn returns a connection of this node.
func (r *Registry) Conn(id string) (*hub.Conn, bool) { return r.hub.Conn(id) }

// of lists the sessions of a user. The search stops when it has found all of them.
func (t *sessions) of(user string) (found []*Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.census.users[user]
	if n == 0 {
		return nil
	}
	found = make([]*Session, 0, n)
	for s := range t.all {
		if s.who().User == user {
			if found = append(found, s); len(found) == n {
				break
			}
		}
	}
	return found
}

// turn takes a token of the handshake rate, which all clients share. A client that exceeds a
// limit of its own takes none: its repeated attempts would keep everybody else out.
func (t *sessions) turn(p *Principal) (exceeded string, wait time.Duration) {
	limits := t.rules.Load().limits
	t.mu.Lock()
	defer t.mu.Unlock()
	if exceeded = t.census.exceeds(p, limits); exceeded == "" {
		wait = t.handshakes.take(limits.Handshakes, time.Now())
	}
	return exceeded, wait
}

// size returns how many sessions there are, and how many users they have.
func (t *sessions) size() (all, users int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all), len(t.census.users)
}

// here is how many connections of a user this node has.
func (t *sessions) here(user string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.census.users[user]
}

// Headcount is an optional ability of a [Control]: to know how many connections users have
// on other nodes. Without it, each node applies the limit for a user on its own.
type Headcount interface {
	// Elsewhere returns how many connections of a user the other nodes have. The number
	// may be a little old.
	Elsewhere(ctx context.Context, user string) (int, error)
	// Here sets how many connections of a user this node has now. It does not block.
	Here(user string, n int)
	// Count starts the count with the numbers of this node, which replace all earlier ones;
	// nil stops it. It does not block and keeps the map.
	Count(all map[string]int)
}

// countUsers starts or stops the count over all nodes: it is needed only with a limit.
func (t *sessions) countUsers(limit int) {
	if t.heads == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch count := limit > 0; {
	case count == t.counting:
	case count:
		all := maps.Clone(t.census.users)
		if all == nil {
			all = make(map[string]int)
		}
		t.counting = true
		t.heads.Count(all)
	default:
		t.counting = false
		t.heads.Count(nil)
	}
}

// tally adds n connections of a principal to the census. The caller holds mu.
func (t *sessions) tally(p *Principal, n int) {
	was := t.census.users[p.User]
	t.census.add(p, n)
	if t.changed != nil && p.User != "" && (was == 0) != (t.census.users[p.User] == 0) {
		t.changed(p.User)
	}
	if t.counting && p.User != "" {
		t.heads.Here(p.User, t.census.users[p.User])
	}
}

// census counts connections. sessions.mu guards it.
type census struct {
	total int
	users map[string]int
	nets  map[netip.Addr]int
}

// exceeds returns the error text for the limit that another connection of p would exceed;
// empty if it may connect.
func (c *census) exceeds(p *Principal, l Limits) string {
	switch {
	case over(c.total, l.Connections):
		return "too many connections"
	case over(c.users[p.User], l.ConnectionsPerUser):
		return "too many connections of this user"
	case over(c.nets[network(p.IP)], l.ConnectionsPerIP):
		return "too many connections from this address"
	}
	return ""
}

func over(count, limit int) bool { return limit > 0 && count >= limit }

func (c *census) add(p *Principal, n int) {
	if c.users == nil {
		c.users, c.nets = make(map[string]int), make(map[netip.Addr]int)
	}
	c.total += n
	if p.User != "" {
		count(c.users, p.User, n)
	}
	if ip := network(p.IP); ip.IsValid() {
		count(c.nets, ip, n)
	}
}

func count[K comparable](m map[K]int, k K, n int) {
	if m[k] += n; m[k] == 0 {
		delete(m, k)
	}
}

// network is the key by which addresses are counted: an IPv4 address, also in its IPv6 form,
// or the first address of an IPv6 network of 64 bits, because a host in such a network can
// use any of its addresses.
func network(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if !ip.Is6() {
		return ip
	}
	return netip.PrefixFrom(ip, 64).Masked().Addr()
}
