package caddyhost

import (
	"context"
	"net"
	"net/http"

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

// ConnOf returns the connection that a request came over; nil over HTTP/3.
func ConnOf(r *http.Request) net.Conn {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
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
