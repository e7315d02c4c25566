package session

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// expiryGrace is how long a connection outlives its token, for a renewal that is on
	// its way. It is no second tolerance for clocks: the leeway is in [Principal.Expires].
	expiryGrace = verifyTimeout
	// expiryJitter spreads the ends of connections whose tokens were made together.
	expiryJitter = 10 * time.Second
	// maxLease leaves room for the jitter in the longest duration that there is, 292 years.
	// Without it a token that ends later would have its connection closed at once.
	maxLease = math.MaxInt64 - 2*expiryJitter
)

// lease is how long a connection may go on with a token. That is never less than as long
// as the token is accepted: a client that comes back with it would be let in and thrown
// out again and again.
func lease(expires, now time.Time) time.Duration {
	left := expires.Add(expiryGrace).Sub(now)
	return min(max(0, left), maxLease) + rand.N(expiryJitter+1)
}

// watch sets the session's timer, if its principal needs one and none is set:
// to the end of the token, or to when the client must have authenticated.
func (s *Session) watch(u *rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.who() // with the lock, or it could be one whose timer is stopped already
	if s.over || s.timer != nil {
		return
	}
	switch {
	case !p.Expires.IsZero():
		s.timer = time.AfterFunc(lease(p.Expires, time.Now()), func() { s.lapse(p) })
	case u.mustAuthenticate(p) != nil:
		s.timer = time.AfterFunc(u.deadline(p), func() { s.lapse(p) })
	}
}

// unwatch stops the timer.
func (s *Session) unwatch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopTimer()
}

// stopTimer is unwatch with mu held.
func (s *Session) stopTimer() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// lapse is called when the time of a principal is over. The session may have got another
// principal meanwhile, or new rules may not ask for a token any more.
func (s *Session) lapse(p *Principal) {
	defer guard.Recover(s.registry.rules.Load().log, "the end of a token", func() { s.conn.Close(protocol.ReasonInternal) })
	if !s.rang(p) {
		return
	}
	switch {
	case !p.Expires.IsZero():
		s.conn.Close(protocol.ReasonTokenExpired)
	case s.registry.rules.Load().mustAuthenticate(p) != nil:
		s.conn.Close(protocol.ReasonUnauthorized)
	}
}

// rang records that the timer of a principal has ended. It returns false if the session
// has another principal now.
func (s *Session) rang(p *Principal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.who() != p {
		return false
	}
	s.timer = nil
	return true
}
