package sse

import (
	"context"
	"net"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// framing is the transport of a stream. Writes wait at its gate until begin or cancel.
type framing interface {
	hub.Transport
	// begin answers the request, with first as the first bytes of the stream, and opens the
	// gate. After an error, writes still wait.
	begin(w http.ResponseWriter, first []byte) error
	// cancel makes the writes fail of a stream that has not started.
	cancel()
	// run serves a stream that has started. It returns when the stream is over, or when the
	// stream has a goroutine of its own.
	run(ctx context.Context, c *hub.Conn)
}

// newFraming hijacks the connection if that is allowed. Otherwise the stream stays inside the
// handler.
func newFraming(w http.ResponseWriter, r *http.Request, o Options) framing {
	if o.KeepStream != nil {
		o.KeepStream(w, r)
	}
	if _, able := httpwriter.Innermost(w).(http.Hijacker); !able || r.ProtoMajor != 1 || o.Hijack == nil || !o.Hijack(w) {
		o.bound(r)
		return newInside(w, r, o)
	}
	if p := newPolled(r, o); p != nil {
		return p
	}
	if r.TLS == nil {
		return newPlain(r, o)
	}
	return newHijacked(r, o)
}

// connOf returns the connection of a request; nil if it is unknown.
func (o Options) connOf(r *http.Request) net.Conn {
	if o.Conn == nil {
		return nil
	}
	return o.Conn(r)
}

// bound makes the kernel notice when the client of a stream inside the handler is gone. Without
// it, that takes a quarter of an hour: clients do not answer heartbeats, and until then these
// fit into the socket's buffer.
func (o Options) bound(r *http.Request) {
	if conn := o.connOf(r); conn != nil {
		rawtcp.SetUserTimeout(conn, o.UserTimeout)
	}
}

// writeHead writes the header and the first bytes in one piece, through all writers, so that
// their header changes and logs apply. It leaves a write deadline behind.
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

// setHijackedHeader sets the fields of a stream that ends with its connection.
func setHijackedHeader(h http.Header) {
	h.Set("Connection", "close")
	// net/http then writes no chunks, and does not send this field.
	h.Set("Transfer-Encoding", "identity")
}

// stamped adds s to a transport as its [hub.Stamper]; without s it returns the transport.
func stamped(t hub.Transport, s *stamps) hub.Transport {
	if s == nil {
		return t
	}
	if try, ok := t.(interface {
		hub.TryWriter
		hub.WriteWaiter
	}); ok {
		return struct {
			hub.Transport
			hub.TryWriter
			hub.WriteWaiter
			hub.Stamper
		}{t, try, try, s}
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
