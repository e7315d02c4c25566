package caddyhost

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// Replay serves requests by the path with which they came in, after an earlier rewrite.
// The routes between the rewrite and the handler could not match that path, among them
// authentication for this handler alone. Replay runs them.
type Replay struct {
	routes caddyhttp.RouteList // those that a request may have passed with another path
}

// Replay returns the replay for requests on the way; nil if the way is not known.
func (w *Way) Replay() *Replay {
	if !w.known {
		return nil
	}
	p, rewritten := new(Replay), false
	for _, step := range w.Steps {
		rewritten = rewritten || step.Rewrites
		if rewritten && len(step.Route.MatcherSets) > 0 {
			p.routes = append(p.routes, step.Route)
		}
	}
	return p
}

// Serve puts the original URL back into the request, runs the routes that were skipped,
// and then calls serve. undo makes the request again what it was before Serve.
func (p *Replay) Serve(w http.ResponseWriter, r *http.Request, serve func(w http.ResponseWriter, r *http.Request, undo func()) error) error {
	original, current := OriginalURL(r), *r.URL
	skipped, err := p.skipped(r, original)
	if err != nil {
		return err
	}
	setURL(r, original)
	restoreGroups := resetGroups(r)
	return skipped.Compile(caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		return serve(w, r, func() {
			setURL(r, &current)
			restoreGroups()
		})
	})).ServeHTTP(w, r)
}

// skipped returns the routes that match the original URL and not the current one.
func (p *Replay) skipped(r *http.Request, original *url.URL) (skipped caddyhttp.RouteList, err error) {
	current := *r.URL
	defer setURL(r, &current)
	for _, route := range p.routes {
		switch skips, err := isSkipped(&route, r, original, &current); {
		case err != nil:
			return nil, err
		case skips:
			route.MatcherSets, route.Group = nil, ""
			skipped = append(skipped, route)
		}
	}
	return skipped, nil
}

// isSkipped reports whether the route matches the original URL and not the current one. A
// rewrite for any path is not skipped: it would hide the handler once more.
func isSkipped(route *caddyhttp.Route, r *http.Request, original, current *url.URL) (bool, error) {
	if matches, err := matchesAt(route, r, original); err != nil || !matches {
		return false, err
	}
	if matches, err := matchesAt(route, r, current); err != nil || matches {
		return false, err
	}
	if !rewrites(route) {
		return true, nil
	}
	matches, err := matchesAt(route, r, elsewhere(original))
	return !matches, err
}

func matchesAt(route *caddyhttp.Route, r *http.Request, u *url.URL) (bool, error) {
	setURL(r, u)
	return route.MatcherSets.AnyMatchWithError(r)
}

// rewrites reports whether the route itself rewrites requests.
func rewrites(route *caddyhttp.Route) bool {
	return slices.ContainsFunc(route.Handlers, func(h caddyhttp.MiddlewareHandler) bool {
		_, is := h.(*rewrite.Rewrite)
		return is
	})
}

// elsewhere returns a URL that has only the query in common with u.
func elsewhere(u *url.URL) *url.URL {
	path := "/-"
	if len(u.Path) > 1 && u.Path[1] == '-' {
		path = "/+"
	}
	return &url.URL{Path: path, RawQuery: u.RawQuery}
}

// setURL changes the request in place, as Caddy's rewrites do: placeholders refer to
// this URL.
func setURL(r *http.Request, u *url.URL) {
	*r.URL = *u
	r.RequestURI = u.RequestURI()
}

// resetGroups forgets which groups of routes have run, so that a skipped route of such a
// group runs. undo remembers them again.
func resetGroups(r *http.Request) (undo func()) {
	groups, _ := r.Context().Value(caddy.CtxKey("route_group")).(map[string]struct{})
	done := maps.Clone(groups)
	clear(groups)
	return func() { maps.Copy(groups, done) }
}
