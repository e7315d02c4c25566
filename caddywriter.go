package realtime

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// aYear is longer than a connection lives. The idle timeouts have no "off".
const aYear = 365 * 24 * time.Hour

// keepStream lifts what the server's options say about the time that a request may
// take, and about the size of its body, from a request that becomes a stream. It
// returns the body. A stream has bounds of its own: the hub's heartbeats find out
// whether the client is there, its write timeout bounds each write, and frames are
// bounded one by one.
//
// Only the goroutine of the handler calls it, before anything is read or written.
func keepStream(w http.ResponseWriter, r *http.Request) io.Reader {
	reader, writer := caddyhttp.IdleTimeoutsFromContext(r.Context())
	body := io.Reader(r.Body)
	if reader != nil {
		reader.Deadline.HardDeadline = time.Time{} // `read_body`
		reader.Override(aYear, 0)                  // `read_body_idle`
		body = reader                              // below `request_body`, which counts
	}
	if writer != nil {
		writer.Deadline.HardDeadline = time.Time{} // `write`
		writer.Override(aYear, 0, 0)               // `write_idle`
	}
	c := http.NewResponseController(w)
	// What the server has set already. Where that is not supported, nothing was set.
	_ = c.SetReadDeadline(time.Time{})
	_ = c.SetWriteDeadline(time.Time{})
	return body
}

// keepIdleReader has the server put its reader with an idle timeout around each body,
// even where its options turn that timeout off: below that reader lies the body that no
// other handler has changed.
func keepIdleReader(srv *caddyhttp.Server) {
	if srv.ReadIdleTimeout < 0 {
		srv.ReadIdleTimeout = caddy.Duration(aYear)
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
