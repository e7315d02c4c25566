package sse

import (
	"math/rand/v2"
	"net/http"
	"strings"
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

// reject answers a request with an error, which is about a channel of the stream if channel is not
// empty.
func (o Options) reject(w http.ResponseWriter, r *http.Request, channel string, e *protocol.Error) {
	if o.Rejected != nil {
		o.Rejected(channel, e)
	}
	if !AskBack(w, r, e) {
		problem.Write(w, naming(channel, e))
	}
}

// naming returns e with a message that names the channel: a request may have several, and one
// rejects them all. An error of the app keeps its message, because the app has chosen it.
func naming(channel string, e *protocol.Error) *protocol.Error {
	name := protocol.Quote(channel)
	if channel == "" || e.FromApp || strings.Contains(e.Message, name) {
		return e
	}
	kind := "channel "
	if protocol.IsPattern(channel) {
		kind = "pattern "
	}
	named := *e
	named.Message = kind + name + ": " + e.Message
	return &named
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
