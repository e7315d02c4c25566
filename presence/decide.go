package presence

import "time"

const (
	shortestWindow  = 100 * time.Millisecond
	windowPerMember = 100 * time.Microsecond
	longestWindow   = 5 * time.Second

	firstRetry   = 100 * time.Millisecond
	longestRetry = 5 * time.Second
)

// Window returns how long changes of a room are collected before one frame announces them:
// 0.1 ms for each member, but at least 100 ms and at most 5 s. So a room of up to 50,000
// members makes at most 10,000 presence deliveries a second.
func Window(members int) time.Duration {
	return min(max(time.Duration(members)*windowPerMember, shortestWindow), longestWindow)
}

// leaveAt returns when a member leaves if its last connection on this node ends now. until
// is the end of the grace of connections that were lost before: they may still reconnect,
// so the explicit end of another one does not shorten it.
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

// retryAfter returns the longest wait after a number of failures in a row.
func retryAfter(failures int) time.Duration {
	return min(firstRetry<<min(failures-1, 10), longestRetry)
}

// earliest returns the earliest of the times that are set, or zero.
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
