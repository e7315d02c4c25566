package caddyhost

import (
	"context"
	"net"
	"net/http"
	"reflect"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// connKey is the key of the client's connection in the context of its requests.
type connKey struct{}

// PrepareServer makes the server of a route put each connection where [ConnOf] finds it,
// and each body where [KeepStream] finds it. Routes without a server, such as named ones,
// do without.
func PrepareServer(ctx caddy.Context) {
	if srv, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok && srv != nil {
		srv.RegisterConnContext(rememberConn)
		keepIdleReader(srv)
	}
}

// rememberConn is called once for each route of the server.
func rememberConn(ctx context.Context, conn net.Conn) context.Context {
	if ctx.Value(connKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, connKey{}, conn)
}

// ConnOf returns the connection that a request came over; nil over HTTP/3. It is the bare socket
// where the server reads one.
func ConnOf(r *http.Request) net.Conn {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	return bare(conn)
}

// bare returns the connection inside of the wrapper that Caddy puts around each connection of a
// server without TLS that speaks only HTTP/1.1 or only HTTP/2. The wrapper looks for the start
// of HTTP/2 in the first bytes and passes everything on. Its type is not exported.
func bare(conn net.Conn) net.Conn {
	v := reflect.ValueOf(conn)
	if !v.IsValid() || v.Type().String() != "*caddyhttp.http2Conn" {
		return conn
	}
	field := v.Elem().FieldByName("Conn")
	if !field.IsValid() {
		return conn
	}
	if inner, ok := field.Interface().(net.Conn); ok && inner != nil {
		return inner
	}
	return conn
}

// CloseConn closes the connection of a request, with all of its streams. It does not wait
// for that.
func CloseConn(r *http.Request) {
	conn := ConnOf(r)
	if conn == nil {
		return
	}
	go func() {
		defer guard.Recover(nil, "the end of a connection")
		_ = conn.Close() // may wait for a moment
	}()
}
