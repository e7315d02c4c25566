package presence

import "time"

const (
	shortestWindow  = 100 * time.Millisecond
	windowPerMember = 100 * time.Microsecond
	longestWindow   = 5 * time.Second

	firstRetry   = 100 * time.Millisecond
	longestRetry = 5 * time.Second
)

// Window is for how long changes of a room are gathered before they are announced
// in one frame: 0.1 ms for each member, but at least 100 ms and at most 5 s. A room
// of up to 50,000 members thus costs at most 10,000 presence deliveries a second.
func Window(members int) time.Duration {
	return min(max(time.Duration(members)*windowPerMember, shortestWindow), longestWindow)
}

// leaveAt says when a member leaves whose last connection here ends now. until is
// the end of the grace of connections that were lost before it: they may still
// come back, so that an explicit end of another one does not cut it short.
func leaveAt(now, until time.Time, grace time.Duration, explicit bool) time.Time {
	at := now
	if !explicit {
		at = now.Add(grace)
	}
	if until.After(at) {
		return until
	}
	return at
}

// retryAfter is the ceiling of the wait after so many failures in a row.
func retryAfter(failures int) time.Duration {
	return min(firstRetry<<min(failures-1, 10), longestRetry)
}

// earliest returns the first of the times that are set, or zero.
func earliest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// due reports whether a time is set and has come.
func due(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }
