package poller

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// expirer is what has deadlines: at most one for reads and one for writes.
type expirer interface{ expire(writes bool) }

// key names a deadline.
type key struct {
	of     expirer
	writes bool
}

// began is the time from which deadlines count, on the monotonic clock.
var began = time.Now()

func now() time.Duration { return time.Since(began) }

// sweep keeps all deadlines with one timer. It visits all of them each time the timer rings.
// Deadlines are rounded up by a sixteenth of the time that they give at most, so for deadlines
// of one length it rings at most sixteen times in that length.
type sweep struct {
	// Guarded by mu.
	mu    sync.Mutex
	due   map[key]time.Duration
	timer *time.Timer
	next  time.Duration // when the timer rings; 0: never
}

// set sets a deadline. It is kept a little later.
func (s *sweep) set(k key, due time.Duration) {
	now := now()
	step := max((due-now)/16, time.Millisecond)
	if due > 0 {
		due -= due % step
	}
	due += step
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == nil {
		s.due = make(map[key]time.Duration)
	}
	s.due[k] = due
	if s.next == 0 || due < s.next {
		s.schedule(due, now)
	}
}

func (s *sweep) clear(k key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.due, k)
}

// schedule makes the timer ring at a time; never if that is 0. Needs mu.
func (s *sweep) schedule(at, now time.Duration) {
	s.next = at
	switch {
	case at == 0:
	case s.timer == nil:
		s.timer = time.AfterFunc(at-now, s.ring)
	default:
		s.timer.Reset(at - now)
	}
}

// ring ends the waits whose deadline has passed.
func (s *sweep) ring() {
	defer guard.Recover(nil, "deadlines of connections")
	for _, k := range s.passed(now()) {
		k.of.expire(k.writes)
	}
}

// passed removes and returns what is due, and sets the timer for the next deadline.
func (s *sweep) passed(now time.Duration) (passed []key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := time.Duration(0)
	for k, due := range s.due {
		switch {
		case due <= now:
			passed = append(passed, k)
			delete(s.due, k)
		case next == 0 || due < next:
			next = due
		}
	}
	s.schedule(next, now)
	return passed
}
