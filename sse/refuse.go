package sse

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// A client whose stream broke comes back after a time between these two, so that
// those that were cut off together do not come back together.
const (
	minRetry = 2 * time.Second
	maxRetry = 5 * time.Second
)

// retryAfter is when one client should come back, not before least.
func retryAfter(least time.Duration) time.Duration {
	return max(least, minRetry) + rand.N(maxRetry-minRetry)
}

func (o Options) refuse(w http.ResponseWriter, r *http.Request, e *protocol.Error) {
	if o.Logger != nil {
		o.Logger.Debug("stream refused", "user", session.Caller{Principal: o.Principal}.User(), "code", e.Code, "message", e.Message)
	}
	if !AskBack(w, r, e) {
		problem.Write(w, e)
	}
}

// AskBack answers a request for a stream that cannot be had now but may be later,
// by a stream that only says when to come back. An EventSource takes every status
// but 200 for an order to stay away for ever. False means that nothing was done,
// because the error will not pass or the client can read a status.
func AskBack(w http.ResponseWriter, r *http.Request, e *protocol.Error) bool {
	if !passing(e) || !accepts(r) {
		return false
	}
	// The client is gone if this fails.
	_ = writeHead(w, append(appendRetry(nil, retryAfter(e.RetryAfter)), '\n'))
	return true
}

// passing reports whether the same request may succeed later. That a wait is given
// tells a limit that many share, such as the number of connections, from one that
// the request itself breaks.
func passing(e *protocol.Error) bool { return e.Code.Info().Temporary || e.RetryAfter > 0 }
