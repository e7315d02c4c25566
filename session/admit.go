package session

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Knock takes a token of the handshake rate of an address. It comes before anything
// else is done for a handshake, the look at its token included. An address that is not
// known has no rate. The error is RATE_LIMITED, with a RetryAfter like those of
// [Registry.Admit].
func (r *Registry) Knock(ip netip.Addr) *protocol.Error {
	ip = network(ip)
	if !ip.IsValid() || r.knocks.take(ip, r.rules.Load().limits.HandshakesPerIP, time.Now()) == 0 {
		return nil
	}
	return retry(protocol.RateLimited, "too many handshakes from this address", time.Second, 10*time.Second)
}

// Admit decides whether a handshake may go on, before costly work is done for it.
// It looks at the connection limits, of which [Registry.Open] checks those of this node
// again and counts, and takes a token of the handshake rate. The errors are UNAUTHORIZED for a token
// that was revoked, RATE_LIMITED for a client that was thrown out too often, and
// RATE_LIMITED, LIMIT_EXCEEDED and UNAVAILABLE with a RetryAfter that differs between
// clients, so that those who were refused together do not come back together.
func (r *Registry) Admit(ctx context.Context, p *Principal) *protocol.Error {
	if e := r.Refuse(p.Identity()); e != nil {
		return e
	}
	if e := r.barred(p); e != nil {
		return e
	}
	if e := r.AdmitUser(ctx, p.User); e != nil {
		return e
	}
	what, wait := r.turn(p)
	switch {
	case what != "":
		return overcrowded(what)
	case wait > 0:
		return retry(protocol.RateLimited, "too many handshakes at once", time.Second, 10*time.Second)
	}
	return nil
}

// turn takes a token of the handshake rate, which all clients share. One that is
// beyond a limit of its own takes none: by trying again and again it would keep
// everybody else out.
func (r *Registry) turn(p *Principal) (exceeded string, wait time.Duration) {
	limits := r.rules.Load().limits
	r.mu.Lock()
	defer r.mu.Unlock()
	if exceeded = r.census.exceeds(p, limits); exceeded == "" {
		wait = r.handshakes.take(limits.Handshakes, time.Now())
	}
	return exceeded, wait
}

func overcrowded(what string) *protocol.Error {
	return retry(protocol.LimitExceeded, what, 5*time.Second, 30*time.Second)
}

func retry(code protocol.Code, text string, least, most time.Duration) *protocol.Error {
	e := protocol.Errorf(code, "%s", text)
	e.RetryAfter = least + rand.N(most-least)
	return e
}

// enter counts a session and makes it known to Apply.
func (r *Registry) enter(s *Session) *protocol.Error {
	limits := r.rules.Load().limits
	r.mu.Lock()
	defer r.mu.Unlock()
	if what := r.census.exceeds(s.who(), limits); what != "" {
		return overcrowded(what)
	}
	r.tally(s.who(), 1)
	r.sessions[s] = struct{}{}
	return nil
}

// leave takes back enter. A second call does nothing.
func (r *Registry) leave(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.sessions[s]; there {
		delete(r.sessions, s)
		r.tally(s.who(), -1)
	}
}

// census counts connections. The registry's lock guards it.
type census struct {
	total int
	users map[string]int
	nets  map[netip.Addr]int
}

// exceeds names the limit that another connection of p would break.
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

// network is what connections are counted by: an IPv4 address, also when it comes
// in the form of an IPv6 one, or the first address of an IPv6 network of 64 bits,
// because every host of such a network can take as many addresses as it likes.
func network(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if !ip.Is6() {
		return ip
	}
	return netip.PrefixFrom(ip, 64).Masked().Addr()
}
