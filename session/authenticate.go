package session

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// verifyTimeout bounds how long a client waits for the keys of its issuer.
const verifyTimeout = 5 * time.Second

// Authenticate gives an anonymous connection an identity, or renews the one it has. The
// app is asked as in a handshake, or authenticating would be the way around it. accepted
// is called with the new principal before anything that follows from it: subscriptions
// that it may not have end, and in rooms with presence the session becomes another
// member. Errors: UNAUTHORIZED, TOKEN_EXPIRED, FORBIDDEN, LIMIT_EXCEEDED, UNAVAILABLE.
func (s *Session) Authenticate(ctx context.Context, token string, accepted func(*Principal)) *protocol.Error {
	old := s.who()
	next, e := s.identify(ctx, old, token)
	if e == nil {
		e = s.accept(ctx, old, next, accepted)
	}
	if e != nil {
		s.logNotAuthenticated(e)
	}
	return e
}

// Identify is Authenticate for an identity that the dialect has verified itself, such as one that
// the app has signed.
func (s *Session) Identify(ctx context.Context, id auth.Identity, accepted func(*Principal)) *protocol.Error {
	old := s.who()
	next, err := old.As(id, time.Now())
	if err != nil {
		return TokenError(err)
	}
	return s.accept(ctx, old, next.dated(next.AsOf), accepted)
}

// accept makes next the principal of the session, unless something forbids it.
func (s *Session) accept(ctx context.Context, old, next *Principal, accepted func(*Principal)) (e *protocol.Error) {
	if next, e = s.registry.Admission.Authorize(ctx, next); e != nil {
		return e
	}
	if e := s.become(old, next); e != nil {
		return e
	}
	accepted(next)
	s.applyPrincipal(old, next)
	return nil
}

// identify returns the principal of a token. No error and no log line contains the token.
func (s *Session) identify(ctx context.Context, p *Principal, token string) (*Principal, *protocol.Error) {
	u := s.registry.rules.Load()
	tokens := u.realms[p.Realm].Tokens
	if tokens == nil {
		return nil, protocol.Errorf(protocol.Unauthorized, "tokens are not taken here")
	}
	s.conn.Yield() // the keys of the issuer may have to be fetched
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	asOf := time.Now()
	id, err := tokens.VerifyFrom(ctx, p.From(), token)
	var next *Principal
	if err == nil {
		next, err = p.As(id, asOf)
	}
	return next, TokenError(err)
}

// TokenError turns an error of [auth.Verifier.Verify] or [Principal.As] into one for the
// client: TOKEN_EXPIRED, UNAVAILABLE or UNAUTHORIZED. UNAUTHORIZED tells the client no reason, because
// a reason would help a client that guesses tokens. The reason is in the error's Detail, for the log.
// Nil stays nil.
func TokenError(err error) *protocol.Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, auth.ErrExpired):
		return protocol.Errorf(protocol.TokenExpired, "the token has expired")
	case errors.Is(err, auth.ErrKeys), errors.Is(err, auth.ErrBusy):
		return retry(protocol.Unavailable, "tokens can not be checked at the moment", time.Second, 10*time.Second)
	}
	return badToken(tokenProblem(err))
}

// badToken is the error of a token that is not accepted. Only the log has the problem.
func badToken(problem string) *protocol.Error {
	e := protocol.Errorf(protocol.Unauthorized, "the token was not accepted")
	e.Detail = problem
	return e
}

// tokenProblem is why a token does not count, without the name of a package in front.
func tokenProblem(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "auth: "), "session: ")
}

// become gives the session another principal, unless a rule forbids it.
func (s *Session) become(old, next *Principal) *protocol.Error {
	if e := mayBecome(old, next); e != nil {
		return e
	}
	if e := s.registry.Revocations.Check(next.Identity()); e != nil {
		return e
	}
	if old.User != next.User {
		if e := s.registry.Admission.AdmitUser(s.ctx, next.User); e != nil {
			return e
		}
	}
	return s.registry.sessions.rename(s, next)
}

// mayBecome checks that a connection keeps its user: what was queued for one user must not
// reach another, and the rooms have seen the user.
func mayBecome(old, next *Principal) *protocol.Error {
	if old.User != "" && old.User != next.User {
		return protocol.Errorf(protocol.Forbidden, "the token is not of this connection's user; open another connection")
	}
	return nil
}

// applyPrincipal applies the new principal to what the session has.
func (s *Session) applyPrincipal(old, next *Principal) {
	u := s.registry.rules.Load()
	s.unwatch()
	s.watch(u)
	s.closeIfKickedOrRevoked()
	s.applyRules(u)
	switch {
	case old.User != next.User:
		s.reappear(u)
	case !bytes.Equal(old.Info, next.Info):
		s.describe(next.Info)
	}
	s.applyNewer(u, s.applyRules)
}

const (
	// expiryGrace is how long a connection stays open after its token has expired, so that
	// a renewal can still arrive. It does not tolerate wrong clocks: that is what the leeway
	// in [Principal.Expires] is for.
	expiryGrace = verifyTimeout
	// expiryJitter spreads the closing of connections whose tokens were issued together.
	expiryJitter = 10 * time.Second
	// maxLease keeps a lease with its jitter below the longest duration of Go, 292 years.
	// Without it, a sum that overflows would close the connection at once.
	maxLease = math.MaxInt64 - 2*expiryJitter
)

// lease is how long a connection with a token may stay open. The connection is not closed
// while the token is still accepted: otherwise the client would reconnect with it, and would
// be accepted and closed again and again.
func lease(expires, now time.Time) time.Duration {
	left := expires.Add(expiryGrace).Sub(now)
	return min(max(0, left), maxLease) + rand.N(expiryJitter)
}

// watch starts the session's timer, if the principal needs one and none runs. The timer ends
// with the token, or when the client must have authenticated.
func (s *Session) watch(u *rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.who() // read under the lock: unwatch has not stopped the timer of this principal
	if s.over || s.timer != nil {
		return
	}
	switch {
	case !p.Expires.IsZero():
		s.timer = time.AfterFunc(lease(p.Expires, time.Now()), func() { s.expire(p) })
	case u.mustAuthenticate(p) != nil:
		s.timer = time.AfterFunc(u.deadline(p), func() { s.expire(p) })
	}
}

// unwatch stops the timer.
func (s *Session) unwatch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopTimer()
}

// stopTimer stops the timer. The caller holds mu.
func (s *Session) stopTimer() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// expire is called when the timer of a principal has ended. The session may have another
// principal meanwhile, or new rules may not require a token any more.
func (s *Session) expire(p *Principal) {
	defer guard.Recover(s.registry.rules.Load().log, "the end of a token", func() { s.conn.Close(protocol.ReasonInternal) })
	if !s.timerEnded(p) {
		return
	}
	switch {
	case !p.Expires.IsZero():
		s.conn.Close(protocol.ReasonTokenExpired)
	case s.registry.rules.Load().mustAuthenticate(p) != nil:
		s.conn.Close(protocol.ReasonUnauthorized)
	}
}

// timerEnded records that the timer of a principal has ended. It returns false if the session
// has another principal now.
func (s *Session) timerEnded(p *Principal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.who() != p {
		return false
	}
	s.timer = nil
	return true
}
