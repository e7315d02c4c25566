package front

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/dialect/socketio"
	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// SocketIO is the way in of Socket.IO. It is static after NewSocketIO.
type SocketIO struct {
	server  *socketio.Server
	path    string
	cookie  string
	origins access.Origins // none: all, and then the handshake identifies nobody
}

// NewSocketIO compiles the options about Socket.IO.
func NewSocketIO(c *config.SocketIO) (*SocketIO, error) {
	server, err := c.Compile()
	if err != nil {
		return nil, err
	}
	origins, err := access.ParseOrigins(c.AllowedOrigins())
	if err != nil {
		return nil, err
	}
	return &SocketIO{server: server, path: SocketIOPaths(c)[0], cookie: c.Cookie, origins: origins}, nil
}

// Emitter returns what takes events of emitters for the clients.
func (s *SocketIO) Emitter(log *slog.Logger) *socketio.Emitter {
	return socketio.NewEmitter(s.server, log)
}

// SocketIOPaths are the paths at which clients of Socket.IO come in. c may be nil.
func SocketIOPaths(c *config.SocketIO) []string {
	if c == nil {
		return nil
	}
	return []string{cmp.Or(c.Path, config.DefaultSocketIOPath)}
}

// Find returns what answers a request of a client of Socket.IO. What lies below the path, such as the
// script of the client, belongs to the site.
func (s *SocketIO) Find(_ *http.Request, u *url.URL) Answer {
	if rest, below := caddyhost.Below(s.path, u); !below || rest != "" && rest != "/" {
		return nil
	}
	return s.serve
}

// foreign returns the error for a request of a page whose origin may not connect; nil if it may.
func (s *SocketIO) foreign(r *http.Request) *protocol.Error {
	if len(s.origins) == 0 || r.Header.Get("Origin") == "" || s.origins.Allow(r) {
		return nil
	}
	return s.origins.Reject(r)
}

// serve answers a request. With narrowed origins the handshake identifies its client as that of a native client
// does. Otherwise pages of any origin may connect, and what their browsers add identifies nobody: the client
// is anonymous until it authenticates by a token in its auth.
func (s *SocketIO) serve(w http.ResponseWriter, r *http.Request, h Host, reg *session.Registry) error {
	var client *session.Principal
	return engineio.Serve(w, r, engineio.Options{
		Registry:   reg,
		Sessions:   h.Polls(),
		Cookie:     s.cookie,
		Over:       h.Over(),
		KeepStream: caddyhost.KeepStream,
		Bound:      caddyhost.Bound,
		Dialect:    func() session.Dialect { return socketio.New(s.server) },
		Foreign:    s.foreign(r),
		Admit: func() (_ *session.Principal, e *protocol.Error) {
			client, e = h.Admit(r, reg, len(s.origins) == 0)
			return client, e
		},
		Upgrade: func(w http.ResponseWriter, r *http.Request, p *session.Principal, o ws.Options) error {
			return h.Upgrade(w, r, reg, p, o)
		},
		Rejected: func(e *protocol.Error) { h.NoteRejection(r, client, e) },
	})
}
