package sse

import (
	"context"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// framing is how a stream travels. Its gate is shut until begin.
type framing interface {
	hub.Transport
	// begin answers the request, with first as the first bytes of the stream, and
	// opens the gate. After an error the gate is still shut.
	begin(w http.ResponseWriter, first []byte) error
	// cancel gives up a stream that has not begun.
	cancel()
	// run serves a stream that has begun, until it is over or on its own.
	run(ctx context.Context, c *hub.Conn)
}

// newFraming chooses: the connection itself where it can be had, else the handler.
func newFraming(w http.ResponseWriter, r *http.Request, o Options) framing {
	if o.KeepStream != nil {
		o.KeepStream(w, r)
	}
	if _, able := httpwriter.Innermost(w).(http.Hijacker); !able || r.ProtoMajor != 1 || o.Hijack == nil || !o.Hijack(w) {
		o.bound(r)
		return newInside(w, r, o)
	}
	if r.TLS == nil {
		return newPlain(o)
	}
	return newHijacked(o)
}

// bound has the kernel notice a client that is gone from below a stream in the
// handler. Nothing else would for a quarter of an hour: heartbeats are not answered,
// and until then they fit into the socket's buffer.
func (o Options) bound(r *http.Request) {
	if o.Conn == nil {
		return
	}
	if conn := o.Conn(r); conn != nil {
		rawtcp.SetUserTimeout(conn, o.UserTimeout)
	}
}

// writeHead writes the header and the first bytes, through all writers, so that
// their header changes and logs apply, and in one piece, and leaves a deadline behind.
func writeHead(w http.ResponseWriter, first []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Length")
	pace.Answer(w, len(first))
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(first); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

// stamped gives a transport the ability to stamp; with s nil it stays what it is.
func stamped(t hub.Transport, s *stamps) hub.Transport {
	if s == nil {
		return t
	}
	if try, ok := t.(hub.TryWriter); ok {
		return struct {
			hub.Transport
			hub.TryWriter
			hub.Stamper
		}{t, try, s}
	}
	return struct {
		hub.Transport
		hub.Stamper
	}{t, s}
}
