package realtime

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

// prepareServer makes the server of a route put each connection where [connOf] finds
// it, and each body where [keepStream] does. Routes that no server has, such as named
// ones, do without.
func prepareServer(ctx caddy.Context) {
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

// connOf is the connection that a request came over; nil over HTTP/3.
func connOf(r *http.Request) net.Conn {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	return conn
}

// abandon closes, at exit, the connection of a stream whose client takes nothing.
// The server would wait for it as long as TCP does, because over HTTP/2 not even the
// end of the stream can be written. At other times the connection is left to its
// other streams, and in the end to the kernel's bound.
func abandon(r *http.Request) {
	if conn := connOf(r); conn != nil && exiting() {
		go func() {
			defer guard.Recover(nil, "the end of a connection")
			_ = conn.Close() // may wait for a moment
		}()
	}
}
