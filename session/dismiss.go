package session

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	// keepDismissals is how long a kick is remembered: longer than any request is on
	// its way from the question who it is from to what it does.
	keepDismissals = 10 * time.Minute
	// maxDismissals bounds how many are remembered.
	maxDismissals = 100_000
)

// dismissals are the kicks of late. A connection or a request that is on its way when
// its user is kicked is not there yet to be ended: it finds the kick here.
type dismissals struct {
	mu      sync.Mutex
	users   map[string]dismissal
	sweepAt int // number of users at which to look for old ones
}

// dismissal is a kick. It is about those who were recognized before a time.
type dismissal struct {
	before time.Time
	reason hub.Reason
}

func (l *dismissals) add(user string, d dismissal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == nil {
		l.users, l.sweepAt = make(map[string]dismissal), 16
	}
	if d.before.Before(l.users[user].before) {
		return // an order that comes late
	}
	if len(l.users) >= l.sweepAt {
		l.sweep(time.Now())
	}
	l.users[user] = d
}

// sweep forgets what is old, and any if that leaves no room.
func (l *dismissals) sweep(now time.Time) {
	for user, d := range l.users {
		if now.Sub(d.before) > keepDismissals {
			delete(l.users, user)
		}
	}
	for user := range l.users {
		if len(l.users) <= maxDismissals*7/8 {
			break
		}
		delete(l.users, user)
	}
	l.sweepAt = min(max(16, 2*len(l.users)), maxDismissals)
}

// since finds the kick of a user who was recognized before it.
func (l *dismissals) since(p *Principal) (hub.Reason, bool) {
	if p.User == "" || p.AsOf.IsZero() {
		return hub.Reason{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d, there := l.users[p.User]
	return d.reason, there && p.AsOf.Before(d.before)
}

// Confirm says why a request may not go on whose caller was let in some time ago, such
// as before its body was read: the token was revoked, or the user was kicked. Who asks
// again after a kick is let in or not by what holds then.
func (r *Registry) Confirm(p *Principal) *protocol.Error {
	if e := r.Refuse(p.Identity()); e != nil {
		return e
	}
	if _, gone := r.dismissed.since(p); gone {
		return retry(protocol.Unavailable, "the user was sent away meanwhile; send the request again", time.Second, 2*time.Second)
	}
	return nil
}

// endIfSentAway finds what Revoke and KickUser could not, because the session, or its
// identity, was still being made.
func (s *Session) endIfSentAway() {
	p := s.who()
	if s.registry.Revoked(p.Identity()) {
		s.expel()
		return
	}
	if reason, gone := s.registry.dismissed.since(p); gone {
		s.conn.Close(reason)
	}
}

// began is since when the session's connection has been on its way, or there.
func (s *Session) began() time.Time {
	if asOf := s.who().AsOf; asOf.Before(s.started) {
		return asOf
	}
	return s.started
}
