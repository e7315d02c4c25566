package realtime

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/dialect/pusher"
	"github.com/caddy-realtime/caddy-realtime/dialect/socketio"
	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// defaultPath is the path of a route that says none.
const defaultPath = "/realtime"

func init() { caddy.RegisterModule(new(MatchEndpoint)) }

// MatchEndpoint matches requests for a path and everything below it, by the current path
// or by the original one: an earlier `try_files` or `rewrite` for the whole site would
// hide the endpoint otherwise. The handler `realtime` with the same path decides whether
// it answers by the original path.
type MatchEndpoint struct {
	// Path is the path of the handler. Default: `/realtime`.
	Path string `json:"path,omitempty"`

	// Also are further paths of the handler, such as /app and /apps/ID of Pusher's protocol. What
	// the handler does not answer there goes on to the next route. Default: none.
	Also []string `json:"also,omitempty"`
}

// CaddyModule says what the module is to Caddy.
func (*MatchEndpoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.realtime", New: func() caddy.Module { return new(MatchEndpoint) }}
}

// Provision checks the path.
func (m *MatchEndpoint) Provision(caddy.Context) error {
	m.Path = cmp.Or(m.Path, defaultPath)
	return checkPath(m.Path)
}

// MatchWithError reports whether the endpoint may be meant. There is never an error.
func (m *MatchEndpoint) MatchWithError(r *http.Request) (bool, error) {
	for _, path := range append([]string{m.Path}, m.Also...) {
		_, ok := caddyhost.Below(path, r.URL)
		if !ok {
			_, ok = caddyhost.Below(path, caddyhost.OriginalURL(r))
		}
		if ok {
			return true, nil
		}
	}
	return false, nil
}

// checkPath finds paths that the path of a request can never be compared with.
func checkPath(p string) error {
	switch {
	case strings.HasPrefix(p, "@"):
		return fmt.Errorf("'realtime' takes a path and no matcher such as '%s'; put it into a 'handle %[1]s { … }'", p)
	case !strings.HasPrefix(p, "/"):
		return fmt.Errorf("the path '%s' does not begin with a slash", p)
	case strings.HasSuffix(p, "*"):
		return fmt.Errorf("the path '%s' ends with *; what lies below a path is answered anyway", p)
	case strings.ContainsAny(p, "*?#%{}\\"):
		return fmt.Errorf("the path '%s' has characters with a special meaning", p)
	case path.Clean(p) != p:
		return fmt.Errorf("the path '%s' is not in its shortest form, '%s'", p, path.Clean(p))
	}
	return nil
}

// below is [caddyhost.Below] for the path of the handler, without what belongs to a later
// route with a longer path.
func (h *Handler) below(u *url.URL) (rest string, ok bool) {
	for _, path := range h.longer {
		if _, theirs := caddyhost.Below(path, u); theirs {
			return "", false
		}
	}
	return caddyhost.Below(h.Path, u)
}

// covers reports whether the handler answers what another one with the path would.
func (h *Handler) covers(path string) bool {
	_, ok := caddyhost.Below(h.Path, &url.URL{Path: path})
	return ok
}

// serveOriginal answers a request by the path with which it came in, after an earlier
// rewrite.
func (h *Handler) serveOriginal(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	_, ours := h.below(caddyhost.OriginalURL(r))
	if !ours {
		_, ours = h.pusherFor(r, caddyhost.OriginalURL(r))
	}
	ours = ours || h.isSocketIO(caddyhost.OriginalURL(r))
	if !ours || h.replay == nil {
		return next.ServeHTTP(w, r)
	}
	return h.replay.Serve(w, r, func(w http.ResponseWriter, r *http.Request, undo func()) error {
		path, ok := h.below(r.URL)
		if t, is := h.pusherFor(r, r.URL); is && !ok {
			return h.servePusher(w, r, t)
		}
		if h.isSocketIO(r.URL) && !ok {
			return h.serveSocketIO(w, r)
		}
		if !ok { // a skipped route has rewritten it: the endpoint is hidden on purpose
			undo()
			return next.ServeHTTP(w, r)
		}
		return h.serve(w, r, path)
	})
}

// lookBack looks at the handlers `realtime` that a request passes before it gets to this
// one. If one of them answers everything for this path, no request reaches this handler,
// which is an error. In the same list a longer path wins: the earlier handler leaves it
// to this one.
func (h *Handler) lookBack(way caddyhost.Way) error {
	if err := checkNeighbours(way.Handlers); err != nil {
		return err
	}
	for i, step := range way.Steps {
		e := endpointOf(&step.Route)
		switch {
		case e == nil || !e.covers(h.Path):
		case step.Own && e.Path == h.Path:
			return neverReached(h, e)
		case step.Own:
			e.longer = append(e.longer, h.Path)
		case !way.RewritesAfter(i):
			return fmt.Errorf("'realtime %s' is never reached: 'realtime %s' comes before the routes in which it is", h.Path, e.Path)
		}
	}
	return nil
}

// checkNeighbours looks for a handler `realtime` behind another one in the same route that
// answers all of its requests. A Caddyfile makes one route of neighbours with the same
// path.
func checkNeighbours(handlers []json.RawMessage) error {
	var before []*Handler
	for _, raw := range handlers {
		var other struct{ Handler, Path string }
		if json.Unmarshal(raw, &other) != nil || other.Handler != "realtime" {
			continue
		}
		h := &Handler{Path: cmp.Or(other.Path, defaultPath)}
		for _, e := range before {
			if e.covers(h.Path) {
				return neverReached(h, e)
			}
		}
		before = append(before, h)
	}
	return nil
}

func neverReached(h, e *Handler) error {
	return fmt.Errorf("'realtime %s' is never reached: another one before it has the path %s", h.Path, e.Path)
}

// endpointOf returns the handler of a route that answers everything for its path; nil if
// there is none, or if the route has a condition beside the path.
func endpointOf(route *caddyhttp.Route) *Handler {
	if len(route.Handlers) == 0 || len(route.MatcherSets) > 1 {
		return nil
	}
	for _, set := range route.MatcherSets {
		if len(set) != 1 {
			return nil
		}
		switch set[0].(type) {
		case *MatchEndpoint, caddyhttp.MatchPath, *caddyhttp.MatchPath:
		default:
			return nil
		}
	}
	h, _ := route.Handlers[len(route.Handlers)-1].(*Handler)
	return h
}

// pusherApp is an app of Pusher's protocol with what the route needs to know of it.
type pusherApp struct {
	*pusher.App
	path    string
	origins access.Origins // none: all
}

// provisionPushers compiles the apps of Pusher's protocol.
func (h *Handler) provisionPushers(ctx caddy.Context, u *hubUse, place string) error {
	h.pushers = nil
	if err := config.CheckPushers(h.Pushers); err != nil {
		return err
	}
	for _, c := range h.Pushers {
		if err := c.Check(); err != nil {
			return fmt.Errorf("pusher %s: %w", c.App, err)
		}
		keys, err := c.ResolveKeys()
		if err != nil {
			return err
		}
		origins, err := access.ParseOrigins(c.Origins)
		if err != nil {
			return fmt.Errorf("pusher %s: %w", c.App, err)
		}
		app := &pusher.App{ID: c.App, Prefix: c.Prefix, ClientEvents: c.ClientEvents, Activity: cmp.Or(time.Duration(c.ActivityTimeout), config.DefaultActivity), Counts: c.SubscriptionCount, Recover: c.Recover}
		for _, k := range keys {
			app.Keys = append(app.Keys, pusher.Key(k))
		}
		if slices.ContainsFunc(c.Keys, func(k config.PusherKey) bool { return block.InTheClear(k.Secret) }) {
			h.log.Warn("a secret of 'pusher' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "app", c.App)
		}
		app.Watchlists = c.Watchlists
		app.Members = cmp.Or(c.Members, config.DefaultMembers)
		h.pushers = append(h.pushers, pusherApp{app, c.Path, origins})
		u.addCounted(c, app)
		if err := u.addWebhooks(ctx, h.Path, c, app, place); err != nil {
			return fmt.Errorf("pusher %s: %w", c.App, err)
		}
	}
	for _, k := range config.KindsOf(h.Pushers) {
		if !slices.Contains(u.kinds, k) {
			u.kinds = append(u.kinds, k)
		}
	}
	return nil
}

// pusherPaths are the paths at which clients and apps of Pusher's protocol come in.
func (h *Handler) pusherPaths() (all []string) {
	for _, c := range h.Pushers {
		for _, path := range []string{c.Path + "/app", c.Path + "/apps/" + c.App, c.Path + "/users"} {
			if !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	}
	return all
}

// pusherTarget is what a request of Pusher's protocol is for.
type pusherTarget struct {
	app    pusherApp
	path   string         // of the HTTP API; empty for a handshake
	refuse *pusher.Reason // why the handshake is refused
}

// pusherFor returns what a request of Pusher's protocol is for, by the path of u. It returns false
// if the request belongs to the site: /app is a usual path of sites.
func (h *Handler) pusherFor(r *http.Request, u *url.URL) (t pusherTarget, ok bool) {
	handshake, version := ws.IsUpgrade(r), u.Query().Get("protocol")
	for _, app := range h.pushers {
		if rest, below := caddyhost.Below(app.path+"/apps/"+app.ID, u); below && rest != "" && !handshake {
			return pusherTarget{app: app, path: "/apps/" + app.ID + rest}, true
		}
		if rest, below := caddyhost.Below(app.path+"/users", u); below && pusher.IsTermination(r, rest) && app.Has(u.Query().Get("auth_key")) {
			return pusherTarget{app: app, path: "/users" + rest}, true
		}
		key, below := caddyhost.Below(app.path+"/app", u)
		switch key = strings.TrimPrefix(key, "/"); {
		case !below || !handshake:
		case app.Has(key):
			return pusherTarget{app: app, refuse: pusher.Refusal(version)}, true
		case version != "" && !ok:
			t, ok = pusherTarget{app: app, refuse: &pusher.ReasonNoApp}, true
		}
	}
	return t, ok
}

// servePusher answers a request of Pusher's protocol. No cookie and no token counts there: what
// clients may do, the app has signed.
func (h *Handler) servePusher(w http.ResponseWriter, r *http.Request, t pusherTarget) error {
	if access.IsEarly(r) {
		return h.rejectEarly(w, r)
	}
	handshake := t.path == ""
	if handshake && len(t.app.origins) > 0 && r.Header.Get("Origin") != "" && !t.app.origins.Allow(r) {
		return h.reject(w, r, errOrigin)
	}
	c := call{registry: h.registry(r.Context()), client: &session.Principal{IP: access.ClientIP(r)}}
	switch {
	case c.registry == nil:
		return h.reject(w, r, problem.Unavailable("the hub is not running"))
	case !handshake:
		pusher.Serve(w, r, t.path, t.app.App, c.registry, session.Caller{Principal: c.client})
		return nil
	case h.node.Leaving():
		return h.reject(w, r, problem.Unavailable("this server takes no new connections"))
	}
	e := c.registry.Admission.Knock(c.client.IP)
	if e == nil {
		e = c.registry.Admission.Admit(r.Context(), c.client)
	}
	if e != nil {
		return h.reject(w, r, e)
	}
	return h.upgrade(w, r, c, ws.Options{Dialect: pusher.Dialect{App: t.app.App}, Refuse: t.refuse})
}

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
	return h.admitAs(r, c, true, h.identity.Anonymous)
}

// Interface guards.
var (
	_ caddy.Provisioner                 = (*MatchEndpoint)(nil)
	_ caddyhttp.RequestMatcherWithError = (*MatchEndpoint)(nil)
)
