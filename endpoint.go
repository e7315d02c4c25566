package realtime

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() { caddy.RegisterModule(new(MatchEndpoint)) }

// MatchEndpoint matches requests for a path and everything below it. The current path
// counts, or else the original one: an earlier `try_files` or `rewrite` for the whole
// site would hide the endpoint otherwise. The handler `realtime` with the same path
// decides whether it answers by the original path.
type MatchEndpoint struct {
	// Path is the path of the handler. Default: `/realtime`.
	Path string `json:"path,omitempty"`
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
	_, ok := below(m.Path, r.URL)
	if !ok {
		_, ok = below(m.Path, originalURL(r))
	}
	return ok, nil
}

// originalURL is the URL with which the request came in. Without a server it is the
// current one.
func originalURL(r *http.Request) *url.URL {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		return original.URL
	}
	return r.URL
}

// below cuts the path of an endpoint off: "" is the path itself, "/x" lies below it.
// What is left stays encoded, because a slash in the name of a channel is not one of
// the path's. Case does not matter, because it does not to Caddy's path matcher either.
// What that matcher finds outside, such as /rt/..%2Fx, is outside here, too.
func below(base string, u *url.URL) (rest string, ok bool) {
	base, escaped := strings.TrimSuffix(base, "/"), u.EscapedPath()
	if !within(base, u.Path) || !within(base, caddyhttp.NormalizedPath(u.Path, true)) {
		return "", false
	}
	at := 0
	for range len(base) { // any of its bytes may be encoded
		if escaped[at] == '%' {
			at += 2
		}
		at++
	}
	rest = escaped[at:]
	if rest == "/" {
		rest = ""
	}
	return rest, rest == "" || rest[0] == '/'
}

// within reports whether a decoded path begins like base.
func within(base, path string) bool {
	return len(path) >= len(base) && strings.EqualFold(path[:len(base)], base) && (len(path) == len(base) || path[len(base)] == '/')
}

// below is [below] for the handler's path, without what belongs to a later route with
// a longer path.
func (h *Handler) below(u *url.URL) (rest string, ok bool) {
	for _, path := range h.longer {
		if _, theirs := below(path, u); theirs {
			return "", false
		}
	}
	return below(h.Path, u)
}

// serveOriginal answers a request by the path with which it came in, after an earlier
// rewrite. Routes between the rewrite and this one had no chance to match that path,
// among them authentication for this endpoint alone; they run now. If one of them
// rewrites the request on its part, the endpoint is hidden on purpose.
func (h *Handler) serveOriginal(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	original := originalURL(r)
	if _, ok := h.below(original); !ok || !h.earlier.known {
		return next.ServeHTTP(w, r)
	}
	current := *r.URL
	skipped, err := h.earlier.skipped(r, original)
	if err != nil {
		return err
	}
	setURL(r, original)
	restoreGroups := resetGroups(r)
	return skipped.Compile(caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		path, ok := h.below(r.URL)
		if !ok {
			setURL(r, &current)
			restoreGroups()
			return next.ServeHTTP(w, r)
		}
		return h.serve(w, r, path)
	})).ServeHTTP(w, r)
}

// setURL changes the request in place, as Caddy's rewrites do: placeholders refer to
// this URL.
func setURL(r *http.Request, u *url.URL) {
	*r.URL = *u
	r.RequestURI = u.RequestURI()
}

// resetGroups lets a route run that is in a group of which another one has run. It
// returns what undoes this.
func resetGroups(r *http.Request) (undo func()) {
	groups, _ := r.Context().Value(caddy.CtxKey("route_group")).(map[string]struct{})
	done := maps.Clone(groups)
	clear(groups)
	return func() { maps.Copy(groups, done) }
}

// Interface guards.
var (
	_ caddy.Provisioner                 = (*MatchEndpoint)(nil)
	_ caddyhttp.RequestMatcherWithError = (*MatchEndpoint)(nil)
)
