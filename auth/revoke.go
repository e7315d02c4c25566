package auth

import (
	"sync"
	"time"
)

// maxRevocations bounds the list. When it is full the revocation that would end
// first is forgotten, which [Revocations.Add] reports.
const maxRevocations = 100_000

// Revocation takes tokens back before they expire: those of a user, or one with an
// ID, or, with neither, all; in each case only those issued before a time.
type Revocation struct {
	User string
	ID   string
	// Before is the time of issue from which on tokens are good again; zero means
	// that the tokens never are.
	Before time.Time
	// Until is when the revocation ends and is forgotten, because the tokens have
	// expired by then; zero means that it lasts as long as the list.
	Until time.Time
}

// Covers decides whether an identity is revoked. A token that does not say when it
// was issued counts as old. Who was recognized without a token, which [Identity]
// shows, is covered by revocations of the user only.
func (r Revocation) Covers(id Identity) bool {
	switch {
	case r.User != "" && r.User != id.User, r.ID != "" && r.ID != id.ID:
		return false
	case r.User == "" && id.Expires.IsZero():
		return false
	}
	return r.Before.IsZero() || id.Issued.Before(r.Before)
}

func (r Revocation) over(now time.Time) bool { return !r.Until.IsZero() && r.Until.Before(now) }

// subject is what a revocation is about; a later one replaces an earlier one.
type subject struct{ user, id string }

// Revocations is the list of revocations in force. The zero value is ready.
type Revocations struct {
	mu   sync.RWMutex
	list map[subject]Revocation
}

// Add puts a revocation in force. It reports false when an older one had to be
// forgotten to make room.
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
		l.forget()
	}
	l.list[key] = r
	return !full
}

// sweep forgets what has ended and reports whether that made room.
func (l *Revocations) sweep(now time.Time) bool {
	for key, r := range l.list {
		if r.over(now) {
			delete(l.list, key)
		}
	}
	return len(l.list) < maxRevocations
}

// forget drops the revocation that ends first.
func (l *Revocations) forget() {
	var first subject
	var end time.Time
	for key, r := range l.list {
		if end.IsZero() || !r.Until.IsZero() && r.Until.Before(end) {
			first, end = key, r.Until
		}
	}
	delete(l.list, first)
}

// Revoked reports whether an identity was taken back.
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
