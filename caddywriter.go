package realtime

import (
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// aYear is longer than a connection lives. The idle timeout has no "off".
const aYear = 365 * 24 * time.Hour

// keepStream lifts the server's read idle timeout (`read_body_idle`, a minute by
// default) from a request whose body is a stream that may be quiet. The hub's
// heartbeats find out whether the client is there.
func keepStream(r *http.Request) {
	if body, _ := caddyhttp.IdleTimeoutsFromContext(r.Context()); body != nil {
		body.Override(aYear, 0)
	}
}

// mayHijack reports whether nothing around the server's own writer changes what is
// sent, so that an event stream can be written to the connection itself. Whatever
// is not known to be harmless counts as harmful: an encoder, a filter.
func mayHijack(w http.ResponseWriter) bool {
	for isTransparent(w) {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
	return fmt.Sprintf("%T", w) == "*http.response"
}

// isTransparent knows the writers that Caddy puts around every response: deadlines,
// and recorders of the access log and the metrics. The types of some are not
// exported, hence the names.
func isTransparent(w http.ResponseWriter) bool {
	switch fmt.Sprintf("%T", w) {
	case "*caddyhttp.IdleTimeoutWriter", "*caddyhttp.readDeadlineWriter":
		return true
	case "*caddyhttp.responseRecorder":
		// The same type serves handlers that change responses; those give it a buffer.
		rec, ok := w.(caddyhttp.ResponseRecorder)
		return ok && rec.Buffer() == nil
	}
	return false
}
