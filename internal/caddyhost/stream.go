package caddyhost

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

// KeepStream frees a request that becomes a stream from the server's options about the
// time that a request may take and the size of its body. It returns the body. A stream
// has bounds of its own: heartbeats find out whether the client is there, a timeout
// bounds each write, and a limit bounds each frame.
//
// Only the goroutine of the handler calls it, before anything is read or written.
func KeepStream(w http.ResponseWriter, r *http.Request) io.Reader {
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

// keepIdleReader makes the server put its reader with an idle timeout around each body,
// even where its options turn that timeout off. Below that reader is the body that no
// other handler has changed.
func keepIdleReader(srv *caddyhttp.Server) {
	if srv.ReadIdleTimeout < 0 {
		srv.ReadIdleTimeout = caddy.Duration(aYear)
	}
}

// MayHijack reports whether nothing around the server's own writer changes what is sent,
// so that an event stream can be written to the connection itself. A writer that is not
// known to be harmless, such as that of an encoder, counts as harmful.
func MayHijack(w http.ResponseWriter) bool {
	for isTransparent(w) {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
	return fmt.Sprintf("%T", w) == "*http.response"
}

// isTransparent reports whether Caddy puts the writer around every response: for deadlines,
// the access log or the metrics. The types of some are not exported, hence the names.
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
