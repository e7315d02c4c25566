package auth

import (
	"sync"
	"time"
)

// maxRevocations is the greatest length of the list. If the list is full, [Revocations.Add]
// drops the revocation that ends first, and returns false.
const maxRevocations = 100_000

// Revocation revokes tokens before they expire: the tokens of a user, the token with an id,
// or, if it names neither, all tokens. In each case it revokes only tokens that were issued
// before a time.
type Revocation struct {
	User string
	ID   string
	// Before is the time from which on newly issued tokens are good again. Zero revokes the
	// tokens whenever they were issued.
	Before time.Time
	// Until is when the revocation ends and is dropped, because the tokens have expired by
	// then. Zero means that it never ends.
	Until time.Time
}

// Covers reports whether the revocation covers an identity. A token without an issue time
// counts as old. An identity without a token is covered by revocations of its user only.
func (r Revocation) Covers(id Identity) bool {
	switch {
	case r.User != "" && r.User != id.User, r.ID != "" && r.ID != id.ID:
		return false
	case r.User == "" && id.Expires.IsZero():
		return false
	}
	return r.Before.IsZero() || id.Issued.Before(r.Before)
}

// over reports whether the revocation has ended.
func (r Revocation) over(now time.Time) bool { return !r.Until.IsZero() && r.Until.Before(now) }

// subject is what a revocation is about. A new revocation replaces the one with the same
// subject.
type subject struct{ user, id string }

// Revocations is the list of revocations in force. The zero value is empty and ready for
// use.
type Revocations struct {
	mu   sync.RWMutex
	list map[subject]Revocation
}

// Add puts a revocation in force. It returns false if the list was full and Add had to drop
// another revocation.
func (l *Revocations) Add(r Revocation, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list == nil {
		l.list = make(map[subject]Revocation)
	}
	key := subject{r.User, r.ID}
	_, replaced := l.list[key]
	full := len(l.list) >= maxRevocations && !replaced
	if full {
		full = !l.sweep(now)
	}
	if full {
		l.dropFirst()
	}
	l.list[key] = r
	return !full
}

// sweep drops the revocations that have ended and reports whether there is space now.
func (l *Revocations) sweep(now time.Time) bool {
	for key, r := range l.list {
		if r.over(now) {
			delete(l.list, key)
		}
	}
	return len(l.list) < maxRevocations
}

// dropFirst drops the revocation that ends first.
func (l *Revocations) dropFirst() {
	var first subject
	var end time.Time
	for key, r := range l.list {
		if end.IsZero() || !r.Until.IsZero() && r.Until.Before(end) {
			first, end = key, r.Until
		}
	}
	delete(l.list, first)
}

// Of returns the ids of the tokens of a user of which each has a revocation of its own, in any
// order. A revocation of all tokens of the user has the empty id.
func (l *Revocations) Of(user string, now time.Time) (ids []string) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for key, r := range l.list {
		if key.user == user && !r.over(now) {
			ids = append(ids, key.id)
		}
	}
	return ids
}

// Drop ends the revocations of a user for these ids, see [Revocations.Of].
func (l *Revocations) Drop(user string, ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.list, subject{user, id})
	}
}

// Revoked reports whether an identity is revoked.
func (l *Revocations) Revoked(id Identity) bool {
	now := time.Now()
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, key := range []subject{{}, {user: id.User}, {id: id.ID}, {id.User, id.ID}} {
		if r, ok := l.list[key]; ok && !r.over(now) && r.Covers(id) {
			return true
		}
	}
	return false
}
