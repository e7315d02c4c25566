package session

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Revoke takes tokens back, on all nodes: connections that live by them end with
// 4401, and nobody is let in with them. A revocation of a user also ends the
// connections of that user which were recognized without a token. Without a
// [Control] it is forgotten with this process. The errors are UNAVAILABLE when only
// this node did it, and INVALID_MESSAGE, with which nothing is done, for times before
// 1971 or after 9999. A revocation lasts for the leeway longer than until the time that
// it names, which is when the tokens say that they expire.
func (r *Registry) Revoke(ctx context.Context, v auth.Revocation) (Ended, *protocol.Error) {
	if !v.Until.IsZero() && v.Until.Year() < lastYear {
		v.Until = v.Until.Add(r.rules.Load().leeway())
	}
	o, err := newRevocation(v)
	if err != nil {
		return Ended{}, protocol.Errorf(protocol.InvalidMessage, "a time is before the year %d or after %d", firstYear, lastYear)
	}
	here := r.revoke(v)
	var lasts time.Duration
	if !v.Until.IsZero() {
		lasts = max(time.Until(v.Until), time.Second)
	}
	return r.order(ctx, here, order{Revoke: o}, o.name(), lasts)
}

// leeway is how long a token may be accepted, in any realm, after it says that it has
// expired.
func (u *rules) leeway() (longest time.Duration) {
	for _, realm := range u.realms {
		longest = max(longest, realm.Tokens.Leeway())
	}
	return longest
}

// revoke does it on this node.
func (r *Registry) revoke(v auth.Revocation) (ended int) {
	if !r.revocations.Add(v, time.Now()) {
		r.rules.Load().log.Warn("so many revocations are in force that the one that ends first was forgotten")
	}
	if v.User != "" {
		r.forget(v.User)
	}
	for _, s := range r.suspects(v) {
		if v.Covers(s.who().Identity()) && s.expel() {
			ended++
		}
	}
	return ended
}

// Revoked reports whether an identity was taken back. Who verifies tokens for a
// request without a session asks [Registry.Refuse].
func (r *Registry) Revoked(id auth.Identity) bool { return r.revocations.Revoked(id) }

// expel ends the connection, if there is one already.
func (s *Session) expel() bool {
	conn := s.connection()
	if conn != nil {
		conn.Close(protocol.ReasonUnauthorized)
	}
	return conn != nil
}

// suspects are the sessions that a revocation may cover.
func (r *Registry) suspects(v auth.Revocation) []*Session {
	if v.User != "" {
		return r.sessionsOf(v.User)
	}
	return r.snapshot()
}
