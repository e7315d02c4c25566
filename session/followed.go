package session

import (
	"slices"
	"time"
)

// Followed is whose conversation is written to the log: that of a user, or of one connection.
type Followed struct{ User, Connection string }

// MaxFollow is how long a follow lasts at most, and maxFollows how many there are at most: an
// operator who forgets them does not fill the disk.
const (
	MaxFollow  = time.Hour
	maxFollows = 16
)

// followUntil is a [Followed] until a time.
type followUntil struct {
	Followed
	until time.Time
}

// Follow writes to the log what the clients do that w is about, for a time of at most
// [MaxFollow]; 0 ends it. It is about this node. The contents of messages are not written.
// Follow returns false if too many clients are followed already.
func (r *Registry) Follow(w Followed, d time.Duration) bool {
	r.applying.Lock()
	defer r.applying.Unlock()
	now := time.Now()
	var next []followUntil
	if old := r.rules.followed.Load(); old != nil {
		next = slices.DeleteFunc(slices.Clone(*old), func(f followUntil) bool { return f.Followed == w || !now.Before(f.until) })
	}
	if d > 0 {
		if len(next) == maxFollows {
			return false
		}
		next = append(next, followUntil{w, now.Add(min(d, MaxFollow))})
	}
	if len(next) == 0 {
		r.rules.followed.Store(nil)
		return true
	}
	r.rules.followed.Store(&next)
	return true
}

// followed reports whether the client's conversation is written to the log. It costs one load
// while nobody is followed.
func (s *Session) followed() bool {
	all := s.registry.rules.followed.Load()
	if all == nil {
		return false
	}
	user, now := s.who().User, time.Now()
	return slices.ContainsFunc(*all, func(f followUntil) bool {
		return (f.User != "" && f.User == user || f.Connection != "" && f.Connection == s.connection().ID()) && now.Before(f.until)
	})
}

// tell writes a line about a client that is followed.
func (s *Session) tell(text string, args ...any) {
	if !s.followed() {
		return
	}
	all := []any{"connection", s.connection().ID(), "user", s.who().User, "transport", s.name}
	s.registry.rules.Load().log.Info("followed: "+text, printable(append(all, args...))...)
}
