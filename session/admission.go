package session

import (
	"context"
	"net/netip"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Admission decides who may open a connection to this node.
type Admission struct {
	// Static.
	rules       *current
	sessions    *sessions
	rates       *Rates
	kicks       *Kicks
	revocations *Revocations

	knocks buckets[netip.Addr] // handshakes of each address
	bans   buckets[string]     // clients whose connections were closed for abuse, see banRate
}

func (a *Admission) init(r *Registry) {
	a.rules, a.sessions, a.rates, a.kicks, a.revocations = &r.rules, &r.sessions, &r.Rates, &r.Kicks, &r.Revocations
	a.knocks.limit, a.bans.limit = maxCallers, maxCallers
}

// Knock takes a token of the handshake rate of an address. It is the first step of a
// handshake, before its token is verified. An unknown address has no rate. The error is
// RATE_LIMITED, with a RetryAfter like those of [Admission.Admit].
func (a *Admission) Knock(ip netip.Addr) *protocol.Error {
	ip = network(ip)
	if !ip.IsValid() || a.knocks.take(ip, a.rules.Load().limits.HandshakesPerIP, time.Now()) == 0 {
		return nil
	}
	return a.rules.counts.limit(limitHandshakes,
		retry(protocol.RateLimited, "too many handshakes from this address", time.Second, 10*time.Second))
}

// Admit decides whether a handshake may go on, before costly work is done for it. It checks
// the connection limits and takes a token of the handshake rate. [Registry.Open] checks the
// limits of this node again and counts the connection. The errors are UNAUTHORIZED for a
// revoked token, RATE_LIMITED for a banned client, and RATE_LIMITED, LIMIT_EXCEEDED and
// UNAVAILABLE with a RetryAfter. The RetryAfter differs between clients, so that clients
// that were rejected together do not come back together.
func (a *Admission) Admit(ctx context.Context, p *Principal) *protocol.Error {
	if e := a.revocations.Check(p.Identity()); e != nil {
		return e
	}
	if e := a.banned(p); e != nil {
		return e
	}
	if e := a.AdmitUser(ctx, p.User); e != nil {
		return e
	}
	what, wait := a.sessions.turn(p)
	switch {
	case what != "":
		return limitReached(what)
	case wait > 0:
		return a.rules.counts.limit(limitHandshakes, retry(protocol.RateLimited, "too many handshakes at once", time.Second, 10*time.Second))
	}
	return nil
}

// headcountTime bounds how long a handshake waits for the other nodes.
const headcountTime = time.Second

// AdmitUser decides whether a user may have another connection. It counts the connections to
// all nodes. Connections that are made at the same moment to different nodes may exceed the
// limit. Nodes that do not answer are not counted: to reject everybody would be worse. The
// errors are LIMIT_EXCEEDED, and RATE_LIMITED for a banned user.
func (a *Admission) AdmitUser(ctx context.Context, user string) *protocol.Error {
	if e := a.banned(&Principal{Subject: policy.Subject{User: user}}); e != nil {
		return e
	}
	limit := a.rules.Load().limits.ConnectionsPerUser
	if a.sessions.heads == nil || user == "" || limit <= 0 {
		return nil
	}
	here := a.sessions.here(user)
	if !over(here, limit) {
		ctx, cancel := context.WithTimeout(ctx, headcountTime)
		defer cancel()
		elsewhere, err := a.sessions.heads.Elsewhere(ctx, user)
		if err != nil {
			return nil
		}
		here += elsewhere
	}
	if over(here, limit) {
		return limitReached("too many connections of this user")
	}
	return nil
}

func limitReached(what string) *protocol.Error {
	return retry(protocol.LimitExceeded, what, 5*time.Second, 30*time.Second)
}

// Authorize asks the app whether a client may connect, if its realm says so, and returns
// the principal as the answer describes it. The handshake calls it, so that it can
// reject the client with a status. Errors: FORBIDDEN, UNAUTHORIZED, UNAVAILABLE.
func (a *Admission) Authorize(ctx context.Context, p *Principal) (*Principal, *protocol.Error) {
	u := a.rules.Load()
	answer, asked, e := u.ask(ctx, Caller{Principal: p}, auth.Connect, "")
	if e != nil || !asked {
		return p, e
	}
	next, err := p.answered(answer)
	if err != nil {
		u.log.Error("the app's answer about a connection can not be used", "error", err)
		return p, appUnavailable()
	}
	return next, nil
}

// Afford takes a token of the message rate of a client's address, before the app is asked
// who sent a request. The user that the app names has a rate of its own besides. The error
// is RATE_LIMITED.
func (a *Admission) Afford(p *Principal) *protocol.Error {
	wait := a.rates.callers.take("q"+network(p.IP).String(), a.rules.Load().limits.Rate, time.Now())
	return a.rules.counts.limit(limitRequests, rateLimited(wait, "requests"))
}

// Confirm checks a request again whose caller was accepted some time ago, for example before
// the body was read. It returns an error if the token was revoked or the user was kicked
// since then. The user may send the request again: the rules of that moment decide then.
func (a *Admission) Confirm(p *Principal) *protocol.Error {
	if e := a.revocations.Check(p.Identity()); e != nil {
		return e
	}
	if _, gone := a.kicks.recent.since(p); gone {
		return retry(protocol.Unavailable, "the user was kicked meanwhile; send the request again", time.Second, 2*time.Second)
	}
	return nil
}

// banRate is how often a client may come back after its connection was closed for abuse: a
// few times at once, because a page with a mistake does that, and then every ten seconds.
// Without this bound, a flooder would get a full bucket for the price of a handshake.
var banRate = policy.Rate{PerSecond: 0.1, Burst: 5}

// CloseForAbuse closes the connection for what its client did, and remembers the client. A
// transport calls it for abuse that only it sees.
func (s *Session) CloseForAbuse(why hub.Reason) {
	a := &s.registry.Admission
	if key := a.banKey(s.who()); key != "" && s.firstAbuse() {
		a.bans.take(key, banRate, time.Now())
	}
	s.conn.Close(why)
}

// firstAbuse reports whether this is the first abuse of the connection. Frames that have
// already arrived are still read, and must not count again.
func (s *Session) firstAbuse() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := s.abusive
	s.abusive = true
	return !again
}

// banKey is the key under which abuse is remembered; empty for none. A user's abuse counts
// for that user alone. The abuse of anonymous clients counts for their address, but only if
// the configuration limits addresses: otherwise all clients may share a proxy's address.
func (a *Admission) banKey(p *Principal) string {
	switch {
	case p.User != "":
		return "u" + p.User
	case a.rules.Load().limits.perAddress() && p.IP.IsValid():
		return "a" + network(p.IP).String()
	}
	return ""
}

// banned returns the error for a client whose connections were closed for abuse too often.
func (a *Admission) banned(p *Principal) *protocol.Error {
	wait := a.bans.wait(a.banKey(p), banRate, time.Now())
	return a.rules.counts.limit(limitBan, rateLimited(wait, "connections that had to be closed for what was sent"))
}
