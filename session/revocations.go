package session

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Revocations are the tokens that do not count any more, on all nodes.
type Revocations struct {
	// Static.
	rules    *current
	sessions *sessions
	cluster  *cluster

	list       auth.Revocations
	uninformed atomic.Bool // revocations of other nodes are not known yet
}

// Revoke makes tokens invalid on all nodes: connections with these tokens are closed with
// 4401, and new ones are rejected. The revocation of a user also closes the connections of
// that user that have no token. Without a [Control], a revocation ends with this process. The
// errors are UNAVAILABLE if only this node carried it out, and INVALID_MESSAGE, without any
// effect, for times before 1971 or after 9999.
//
// Until is when the tokens say that they expire. The revocation lasts longer than that by the
// leeway, for which they are still accepted.
func (r *Revocations) Revoke(ctx context.Context, v auth.Revocation) (Ended, *protocol.Error) {
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
	return r.cluster.order(ctx, here, order{Revoke: o}, o.name(), lasts)
}

// leeway is how long a token may be accepted, in any realm, after it says that it has
// expired.
func (u *rules) leeway() (longest time.Duration) {
	for _, realm := range u.realms {
		longest = max(longest, realm.Tokens.Leeway())
	}
	return longest
}

// revoke carries a revocation out on this node.
func (r *Revocations) revoke(v auth.Revocation) (ended int) {
	if !r.list.Add(v, time.Now()) {
		r.rules.Load().log.Warn("so many revocations are in force that the one that ends first was forgotten")
	}
	if v.User != "" {
		r.rules.Load().forget(v.User)
	}
	for _, s := range r.candidates(v) {
		if v.Covers(s.who().Identity()) && s.closeRevoked() {
			ended++
		}
	}
	return ended
}

// Check returns an error if an identity is not accepted: its token was revoked, or it is not
// known yet which tokens were.
func (r *Revocations) Check(id auth.Identity) *protocol.Error {
	switch {
	case !id.Expires.IsZero() && r.uninformed.Load():
		return retry(protocol.Unavailable, "tokens can not be checked at the moment", time.Second, 10*time.Second)
	case r.Revoked(id):
		return badToken("it was revoked")
	}
	return nil
}

// Revoked reports whether an identity was revoked. Code that verifies tokens for a request
// without a session calls [Revocations.Check].
func (r *Revocations) Revoked(id auth.Identity) bool { return r.list.Revoked(id) }

// candidates are the sessions that a revocation may cover.
func (r *Revocations) candidates(v auth.Revocation) []*Session {
	if v.User != "" {
		return r.sessions.of(v.User)
	}
	return r.sessions.snapshot()
}

// closeRevoked closes the connection, if there is one already, and reports that.
func (s *Session) closeRevoked() bool {
	conn := s.connection()
	if conn != nil {
		conn.Close(protocol.ReasonUnauthorized)
	}
	return conn != nil
}
