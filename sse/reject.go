package sse

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A client whose stream broke reconnects after a random time between minRetry and maxRetry, so
// that clients that were cut off together do not come back together.
const (
	minRetry = 2 * time.Second
	maxRetry = 5 * time.Second
)

// retryAfter returns how long a client should wait before it reconnects: least or more.
func retryAfter(least time.Duration) time.Duration {
	return max(least, minRetry) + rand.N(maxRetry-minRetry)
}

// reject answers a request with an error.
func (o Options) reject(w http.ResponseWriter, r *http.Request, e *protocol.Error) {
	if o.Rejected != nil {
		o.Rejected(e)
	}
	if !AskBack(w, r, e) {
		problem.Write(w, e)
	}
}

// AskBack answers a request that failed with a temporary error by a stream that only says when
// to reconnect, because an EventSource never reconnects after a status other than 200. It
// returns false, and does nothing, if the error is permanent or the client did not ask for a
// stream.
func AskBack(w http.ResponseWriter, r *http.Request, e *protocol.Error) bool {
	if !passing(e) || !accepts(r) {
		return false
	}
	// If this fails, the client is gone.
	_ = writeHead(w, append(appendRetry(nil, retryAfter(e.RetryAfter)), '\n'))
	return true
}

// passing reports whether the same request may succeed later. An error with a RetryAfter is
// about a limit that many clients share, such as the number of connections, and not about the
// request itself.
func passing(e *protocol.Error) bool { return e.Code.Info().Temporary || e.RetryAfter > 0 }
