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

// Knock takes a token of the handshake rate of an address. It comes before anything
// else is done for a handshake, the look at its token included. An address that is not
// known has no rate. The error is RATE_LIMITED, with a RetryAfter like those of
// [Admission.Admit].
func (a *Admission) Knock(ip netip.Addr) *protocol.Error {
	ip = network(ip)
	if !ip.IsValid() || a.knocks.take(ip, a.rules.Load().limits.HandshakesPerIP, time.Now()) == 0 {
		return nil
	}
	return retry(protocol.RateLimited, "too many handshakes from this address", time.Second, 10*time.Second)
}

// Admit decides whether a handshake may go on, before costly work is done for it.
// It looks at the connection limits, of which [Registry.Open] checks those of this node
// again and counts, and takes a token of the handshake rate. The errors are UNAUTHORIZED for a token
// that was revoked, RATE_LIMITED for a banned client, and
// RATE_LIMITED, LIMIT_EXCEEDED and UNAVAILABLE with a RetryAfter that differs between
// clients, so that clients that were rejected together do not come back together.
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
		return retry(protocol.RateLimited, "too many handshakes at once", time.Second, 10*time.Second)
	}
	return nil
}

// headcountTime bounds how long a handshake waits for the other nodes.
const headcountTime = time.Second

// AdmitUser decides whether a user that became known late may have another
// connection, with those to other nodes counted. Connections that are made in the same
// moment to different nodes may go beyond the limit, and nodes that can not be asked are
// not counted: to keep everybody out would be worse. The errors are LIMIT_EXCEEDED, and
// RATE_LIMITED for a banned user.
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
		u.log.Error("the application's answer about a connection can not be used", "error", err)
		return p, appUnavailable()
	}
	return next, nil
}

// Afford takes a token of the message rate of a client's address, for a request about
// which the app is asked who sent it. The user that the app names has a rate besides.
// The error is RATE_LIMITED.
func (a *Admission) Afford(p *Principal) *protocol.Error {
	wait := a.rates.callers.take("q"+network(p.IP).String(), a.rules.Load().limits.Rate, time.Now())
	return rateLimited(wait, "requests")
}

// Confirm says why a request may not go on whose caller was let in some time ago, such
// as before its body was read: the token was revoked, or the user was kicked. A user
// that asks again after a kick is accepted or rejected by the rules of that moment.
func (a *Admission) Confirm(p *Principal) *protocol.Error {
	if e := a.revocations.Check(p.Identity()); e != nil {
		return e
	}
	if _, gone := a.kicks.recent.since(p); gone {
		return retry(protocol.Unavailable, "the user was kicked meanwhile; send the request again", time.Second, 2*time.Second)
	}
	return nil
}

// banRate is how often a client may come back after its connection was closed for abuse:
// a few times as it likes, as a page with a mistake does, and then every ten seconds.
// Without a bound every close would cost a flooder one handshake and give it a full
// bucket.
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
// arrived already are still read, and count no more.
func (s *Session) firstAbuse() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := s.abusive
	s.abusive = true
	return !again
}

// banKey is the key under which abuse is remembered; empty for none. A user's abuse counts
// for that user alone. An address stands for those without a user, but only where the
// configuration has a limit for it: elsewhere all of them may come from the address
// of a proxy.
func (a *Admission) banKey(p *Principal) string {
	switch {
	case p.User != "":
		return "u" + p.User
	case a.rules.Load().limits.perAddress() && p.IP.IsValid():
		return "a" + network(p.IP).String()
	}
	return ""
}

// banned rejects a client whose connections were closed for abuse too often.
func (a *Admission) banned(p *Principal) *protocol.Error {
	return rateLimited(a.bans.wait(a.banKey(p), banRate, time.Now()), "connections that had to be ended for what was sent")
}
