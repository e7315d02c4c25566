package realtime

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/dialect/socketio"
	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/internal/tracing"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// socketIOServer is what the route needs to serve clients of Socket.IO.
type socketIOServer struct {
	*socketio.Server
	path    string
	cookie  string
	origins access.Origins // none: all, and then the handshake identifies nobody
}

// provisionSocketIO compiles the options about Socket.IO.
func (h *Handler) provisionSocketIO() error {
	h.socketIO = nil
	c := h.SocketIO
	if c == nil {
		return nil
	}
	server, err := c.Compile()
	if err != nil {
		return fmt.Errorf("socketio: %w", err)
	}
	origins, err := access.ParseOrigins(c.AllowedOrigins())
	if err != nil {
		return fmt.Errorf("socketio: %w", err)
	}
	path := cmp.Or(c.Path, config.DefaultSocketIOPath)
	if err := checkPath(path); err != nil {
		return fmt.Errorf("socketio: %w", err)
	}
	h.socketIO = &socketIOServer{Server: server, path: path, cookie: c.Cookie, origins: origins}
	return nil
}

// socketIOPaths are the paths at which clients of Socket.IO come in.
func (h *Handler) socketIOPaths() []string {
	if h.SocketIO == nil {
		return nil
	}
	return []string{cmp.Or(h.SocketIO.Path, config.DefaultSocketIOPath)}
}

// isSocketIO reports whether a request is one of a client of Socket.IO. What lies below the path, such as
// the script of the client, belongs to the site.
func (h *Handler) isSocketIO(u *url.URL) bool {
	if h.socketIO == nil {
		return false
	}
	rest, below := caddyhost.Below(h.socketIO.path, u)
	return below && (rest == "" || rest == "/")
}

// serveSocketIO answers a request of a client of Socket.IO.
func (h *Handler) serveSocketIO(w http.ResponseWriter, r *http.Request) error {
	if access.IsEarly(r) {
		return h.rejectEarly(w, r)
	}
	registry := h.registry(r.Context())
	if registry == nil {
		return h.reject(w, r, problem.Unavailable("the hub is not running"))
	}
	c := call{registry: registry}
	return engineio.Serve(w, r, engineio.Options{
		Registry: registry,
		Sessions: h.node.Polls(),
		Cookie:   h.socketIO.cookie,
		Over:     h.app.ctx.Done(),

		KeepStream: caddyhost.KeepStream,
		Bound:      caddyhost.Bound,
		Dialect:    func() session.Dialect { return socketio.New(h.socketIO.Server) },
		Allowed:    len(h.socketIO.origins) == 0 || r.Header.Get("Origin") == "" || h.socketIO.origins.Allow(r),
		Admit: func() (*session.Principal, *protocol.Error) {
			e := h.admitSocketIO(r, &c)
			return c.client, e
		},
		Upgrade: func(w http.ResponseWriter, r *http.Request, p *session.Principal, o ws.Options) error {
			c.client = p
			return h.upgrade(w, r, c, o)
		},
		Rejected: func(e *protocol.Error) { h.noteRejection(r, c.client, e) },
	})
}

// admitSocketIO decides about a handshake. With narrowed origins it is like that of a native client.
// Otherwise pages of any origin may connect, and what their browsers add identifies nobody: the client is
// anonymous until it authenticates by a token in its auth.
func (h *Handler) admitSocketIO(r *http.Request, c *call) *protocol.Error {
	if len(h.socketIO.origins) > 0 {
		return h.admit(r, c, true)
	}
	if h.node.Leaving() {
		return problem.Unavailable("this server takes no new connections")
	}
	var e *protocol.Error
	if e = c.registry.Admission.Knock(access.ClientIP(r)); e != nil {
		return e
	}
	if c.client, e = h.identity.Anonymous(r); e == nil {
		e = c.registry.Admission.Admit(r.Context(), c.client)
	}
	if e == nil {
		e = h.vet(r, c)
	}
	c.client.Trace = tracing.OriginOf(r.Context())
	return e
}
