package realtime

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// earlier are the routes that a request passes before it gets to a handler, as far as
// they may have been passed with another path than the original one.
type earlier struct {
	// known is false where the routes can not be found, as in a named route.
	known  bool
	routes caddyhttp.RouteList
}

// routesAround are the lists of routes in which the handler that ctx provisions is,
// from the outermost one inwards, and its place in each.
type routesAround struct {
	lists caddyhttp.RouteList // of all lists, what comes before the handler
	from  []int               // where each list begins in it
	// By list, the handlers in the route of the handler.
	handlers [][]json.RawMessage
}

// lookAround finds the routes around a handler that is being provisioned. Caddy
// provisions the routes of a list in order and clears HandlersRaw afterwards, so that
// the first route which still has some is the one with the handler.
func lookAround(ctx caddy.Context) (around routesAround, ok bool) {
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	modules := ctx.Modules()
	if server == nil || len(modules) < 2 {
		return around, false
	}
	lists := []caddyhttp.RouteList{server.Routes}
	for _, m := range modules[1 : len(modules)-1] {
		sub, is := m.(*caddyhttp.Subroute)
		if !is {
			return around, false
		}
		lists = append(lists, sub.Routes)
	}
	for _, list := range lists {
		at := slices.IndexFunc(list, func(r caddyhttp.Route) bool { return len(r.HandlersRaw) > 0 })
		if at < 0 {
			return around, false
		}
		around.from = append(around.from, len(around.lists))
		around.lists = append(around.lists, list[:at]...)
		around.handlers = append(around.handlers, list[at].HandlersRaw)
	}
	return around, true
}

// each visits the routes before the handler in their order. level is the list of a
// route; the last one is the handler's own. rewrites reports that the route may change
// the path of a request, as may everything in an enclosing route of several handlers.
func (a *routesAround) each(visit func(route *caddyhttp.Route, own, rewrites bool)) {
	for level, from := range a.from {
		to := len(a.lists)
		if level+1 < len(a.from) {
			to = a.from[level+1]
		}
		own := level == len(a.from)-1
		for i := from; i < to; i++ {
			visit(&a.lists[i], own, !keepsPath(&a.lists[i]))
		}
		if !own && len(a.handlers[level]) > 1 {
			visit(new(caddyhttp.Route), false, true)
		}
	}
}

// pathKeepers are the handlers that leave the path of a request alone. Everything else
// may rewrite it.
var pathKeepers = []string{
	"authentication", "encode", "headers", "log_append", "map", "realtime", "request_body",
	"static_response", "timeouts", "tracing", "vars",
}

func keepsPath(route *caddyhttp.Route) bool {
	return !slices.ContainsFunc(route.Handlers, func(h caddyhttp.MiddlewareHandler) bool {
		return !slices.Contains(pathKeepers, caddy.GetModuleName(h))
	})
}

// lookBack finds what a request has passed before it gets to the handler. Routes with a
// longer path than an earlier one of the same list get the requests for it; a route
// that no request can reach is an error.
func (h *Handler) lookBack(ctx caddy.Context) error {
	around, ok := lookAround(ctx)
	h.earlier.known = ok
	rewritten := false
	var shorter, before []*Handler // of the own list, and of those around it
	around.each(func(route *caddyhttp.Route, own, rewrites bool) {
		if rewrites {
			rewritten, before = true, nil
		}
		if rewritten && len(route.MatcherSets) > 0 {
			h.earlier.routes = append(h.earlier.routes, *route)
		}
		if e := endpointOf(route); e == nil {
			return
		} else if own {
			shorter = append(shorter, e)
		} else {
			before = append(before, e)
		}
	})
	for _, e := range before {
		if e.covers(h.Path) {
			return fmt.Errorf("'realtime %s' is never reached: 'realtime %s' comes before the routes in which it is", h.Path, e.Path)
		}
	}
	if err := around.hidden(); err != nil {
		return err
	}
	for _, e := range shorter {
		switch {
		case e.Path == h.Path:
			return neverReached(h, e)
		case e.covers(h.Path):
			e.longer = append(e.longer, h.Path)
		}
	}
	return nil
}

// hidden looks for a handler `realtime` behind another one that answers all of its
// requests, both in the same route as the handler. Caddyfiles make one route of
// neighbours with the same path.
func (a *routesAround) hidden() error {
	if len(a.handlers) == 0 {
		return nil
	}
	var before []*Handler
	for _, raw := range a.handlers[len(a.handlers)-1] {
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

// covers reports whether the handler answers what another one with the path would.
func (h *Handler) covers(path string) bool {
	_, ok := below(h.Path, &url.URL{Path: path})
	return ok
}

// endpointOf is the handler of a route that answers everything for it. It is nil if
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

// skipped finds the routes that would have matched the original path and did not match
// the current one. A rewrite that is not about the endpoint is none of them: it would
// hide the endpoint once more.
func (e *earlier) skipped(r *http.Request, original *url.URL) (skipped caddyhttp.RouteList, err error) {
	current := *r.URL
	defer setURL(r, &current)
	for _, route := range e.routes {
		matches := func(u *url.URL) (ok bool) {
			if err == nil {
				setURL(r, u)
				ok, err = route.MatcherSets.AnyMatchWithError(r)
			}
			return ok
		}
		if !matches(original) || matches(&current) || rewrites(&route) && matches(elsewhere(original)) {
			continue
		}
		route.MatcherSets, route.Group = nil, ""
		skipped = append(skipped, route)
	}
	return skipped, err
}

// rewrites reports whether the route itself rewrites requests.
func rewrites(route *caddyhttp.Route) bool {
	return slices.ContainsFunc(route.Handlers, func(h caddyhttp.MiddlewareHandler) bool {
		_, is := h.(*rewrite.Rewrite)
		return is
	})
}

// elsewhere is a URL that has nothing in common with another one but the query.
func elsewhere(u *url.URL) *url.URL {
	path := "/-"
	if len(u.Path) > 1 && u.Path[1] == '-' {
		path = "/+"
	}
	return &url.URL{Path: path, RawQuery: u.RawQuery}
}
