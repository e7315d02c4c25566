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

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/front"
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
	original := caddyhost.OriginalURL(r)
	if _, ours := h.below(original); h.replay == nil || !ours && h.front(r, original) == nil {
		return next.ServeHTTP(w, r)
	}
	return h.replay.Serve(w, r, func(w http.ResponseWriter, r *http.Request, undo func()) error {
		if path, ok := h.below(r.URL); ok {
			return h.serve(w, r, path)
		}
		if answer := h.front(r, r.URL); answer != nil {
			return h.serveFront(w, r, answer)
		}
		undo() // a skipped route has rewritten it: the endpoint is hidden on purpose
		return next.ServeHTTP(w, r)
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
	return h.lookBackFronts(way)
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

// provisionFronts compiles the ways in of other protocols.
func (h *Handler) provisionFronts(ctx caddy.Context, u *hubUse, place string) error {
	h.fronts = nil
	if err := h.checkFronts(); err != nil {
		return err
	}
	pushers, err := front.NewPushers(h.Pushers, h.log)
	if err != nil {
		return err
	}
	for i, c := range h.Pushers {
		u.addCounted(c, pushers[i].App)
		if err := u.addWebhooks(ctx, h.Path, c, pushers[i].App, place); err != nil {
			return fmt.Errorf("pusher %s: %w", c.App, err)
		}
	}
	for _, k := range config.KindsOf(h.Pushers) {
		if !slices.Contains(u.kinds, k) {
			u.kinds = append(u.kinds, k)
		}
	}
	h.fronts = append(h.fronts, pushers)
	if h.SocketIO == nil {
		return nil
	}
	s, err := front.NewSocketIO(h.SocketIO)
	if err != nil {
		return fmt.Errorf("socketio: %w", err)
	}
	for _, rule := range h.SocketIO.TakenFromRooms() {
		h.log.Warn("a rule of 'socketio' takes an event that 'rooms' would answer", "rule", rule, "place", block.Place(rule))
	}
	h.fronts = append(h.fronts, s)
	if h.SocketIO.Recovery > 0 {
		u.recovering = append(u.recovering, h.SocketIO)
	}
	if err := u.addPing(h.SocketIO.Ping, place); err != nil {
		return err
	}
	if h.SocketIO.Emitter {
		return u.addEmitter(s.Emitter(h.log), place)
	}
	return nil
}

// frontPaths are the paths at which clients and apps of other protocols come in.
func (h *Handler) frontPaths() []string {
	return append(front.PusherPaths(h.Pushers), front.SocketIOPaths(h.SocketIO)...)
}

// checkFronts finds paths of other protocols at which the handler itself answers.
func (h *Handler) checkFronts() error {
	for _, path := range front.SocketIOPaths(h.SocketIO) {
		if err := checkPath(path); err != nil {
			return fmt.Errorf("socketio: %w", err)
		}
		if h.covers(path) {
			return fmt.Errorf("socketio: the path %s is never reached: 'realtime %s' answers there itself", path, h.Path)
		}
	}
	for _, c := range h.Pushers {
		for _, path := range front.PusherPaths([]*config.Pusher{c}) {
			if h.covers(path) {
				return fmt.Errorf("pusher: the path %s of the app %s is never reached: 'realtime %s' answers there itself", path, c.App, h.Path)
			}
		}
	}
	return nil
}

// lookBackFronts does for the paths of other protocols what lookBack does for the path of the handler.
func (h *Handler) lookBackFronts(way caddyhost.Way) error {
	for i, step := range way.Steps {
		e := endpointOf(&step.Route)
		if e == nil || way.RewritesAfter(i) {
			continue
		}
		for _, path := range front.SocketIOPaths(h.SocketIO) {
			if leadsTo(&step.Route, path) && e.answersSocketIO(path) {
				return fmt.Errorf("'socketio' of 'realtime %s' is never reached: 'realtime %s' comes before it and answers at %s", h.Path, e.Path, path)
			}
		}
		for _, c := range h.Pushers {
			if path := c.Path + "/app"; leadsTo(&step.Route, path) && e.answersPusher(c.Path) {
				return fmt.Errorf("'pusher %s' of 'realtime %s' is never reached: 'realtime %s' comes before it and answers at %s", c.App, h.Path, e.Path, path)
			}
		}
	}
	return nil
}

// leadsTo reports whether a request for the path gets into a route.
func leadsTo(route *caddyhttp.Route, path string) bool {
	if len(route.MatcherSets) == 0 {
		return true
	}
	for _, set := range route.MatcherSets {
		for _, m := range set {
			if m, is := m.(*MatchEndpoint); is && (slices.Contains(m.Also, path) || (&Handler{Path: m.Path}).covers(path)) {
				return true
			}
		}
	}
	return false
}

// answersSocketIO reports whether the handler answers clients of Socket.IO at the path.
func (h *Handler) answersSocketIO(path string) bool {
	return h.covers(path) || slices.ContainsFunc(front.SocketIOPaths(h.SocketIO), func(own string) bool { return strings.EqualFold(own, path) })
}

// answersPusher reports whether the handler answers clients of Pusher below a path. It rejects those of unknown
// apps, so that no later handler gets them.
func (h *Handler) answersPusher(path string) bool {
	return h.covers(path+"/app") || slices.ContainsFunc(h.Pushers, func(c *config.Pusher) bool { return strings.EqualFold(c.Path, path) })
}

// front returns what answers a request of another protocol, by the path of u; nil if the request
// belongs to the site.
func (h *Handler) front(r *http.Request, u *url.URL) front.Answer {
	for _, f := range h.fronts {
		if answer := f.Find(r, u); answer != nil {
			return answer
		}
	}
	return nil
}

// serveFront answers a request of another protocol.
func (h *Handler) serveFront(w http.ResponseWriter, r *http.Request, answer front.Answer) error {
	if access.IsEarly(r) {
		return h.rejectEarly(w, r)
	}
	registry := h.registry(r.Context())
	if registry == nil {
		return h.reject(w, r, problem.Unavailable("the hub is not running"))
	}
	return answer(w, r, host{h}, registry)
}

// host is a route as its fronts see it.
type host struct{ *Handler }

func (h host) Admit(r *http.Request, reg *session.Registry, anonymous bool) (*session.Principal, *protocol.Error) {
	c := call{registry: reg, front: true}
	identify := h.identity.Identify
	if anonymous {
		identify = h.identity.Anonymous
	}
	e := h.admitAs(r, &c, true, identify)
	return c.client, e
}

func (h host) Knock(r *http.Request, reg *session.Registry) (*session.Principal, *protocol.Error) {
	client := &session.Principal{IP: access.ClientIP(r)}
	if h.node.Leaving() {
		return client, leaving()
	}
	e := reg.Admission.Knock(client.IP)
	if e == nil {
		e = reg.Admission.Admit(r.Context(), client)
	}
	return client, e
}

func (h host) Upgrade(w http.ResponseWriter, r *http.Request, reg *session.Registry, p *session.Principal, o ws.Options) error {
	return h.upgrade(w, r, call{registry: reg, client: p}, o)
}

func (h host) Reject(w http.ResponseWriter, r *http.Request, e *protocol.Error) error {
	return h.rejectAs(w, r, e, true)
}

func (h host) NoteRejection(r *http.Request, client *session.Principal, e *protocol.Error) {
	h.noteRejection(r, client, e, true)
}

func (h host) Polls() *engineio.Sessions { return h.node.Polls() }

func (h host) Over() <-chan struct{} { return h.app.ctx.Done() }

// Interface guards.
var (
	_ front.Host                        = host{}
	_ caddy.Provisioner                 = (*MatchEndpoint)(nil)
	_ caddyhttp.RequestMatcherWithError = (*MatchEndpoint)(nil)
)
