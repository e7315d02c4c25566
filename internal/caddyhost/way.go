package caddyhost

import (
	"encoding/json"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// Way is what requests pass before they get to a handler.
type Way struct {
	// Steps are the routes before the handler, in the order in which requests pass them.
	Steps []Step
	// Handlers are all handlers of the handler's own route.
	Handlers []json.RawMessage

	known bool // false if the routes can not be found, as for a named route
}

// Step is a route before a handler.
type Step struct {
	Route caddyhttp.Route
	// Own marks a route of the same list as the handler's. Other routes are in a list
	// around it.
	Own bool
	// Rewrites marks a step that may change the path of a request.
	Rewrites bool
}

// FindWay finds the way to the handler that ctx provisions. Caddy provisions the routes of
// a list in order and clears HandlersRaw afterwards. So the first route that still has
// HandlersRaw is the one with the handler.
func FindWay(ctx caddy.Context) (way Way) {
	lists := listsAround(ctx)
	for level, list := range lists {
		own := level == len(lists)-1
		at := slices.IndexFunc(list, func(r caddyhttp.Route) bool { return len(r.HandlersRaw) > 0 })
		if at < 0 {
			return Way{}
		}
		for _, route := range list[:at] {
			way.Steps = append(way.Steps, Step{Route: route, Own: own, Rewrites: !keepsPath(&route)})
		}
		way.Handlers = list[at].HandlersRaw
		if !own && len(way.Handlers) > 1 { // the others may rewrite
			way.Steps = append(way.Steps, Step{Rewrites: true})
		}
	}
	way.known = len(lists) > 0
	return way
}

// listsAround returns the lists of routes in which the handler is, from the outermost one
// inwards; none if they can not be found.
func listsAround(ctx caddy.Context) []caddyhttp.RouteList {
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	modules := ctx.Modules()
	if server == nil || len(modules) < 2 {
		return nil
	}
	lists := []caddyhttp.RouteList{server.Routes}
	for _, m := range modules[1 : len(modules)-1] {
		sub, is := m.(*caddyhttp.Subroute)
		if !is {
			return nil
		}
		lists = append(lists, sub.Routes)
	}
	return lists
}

// RewritesAfter reports whether a step after the i-th one may change the path.
func (w *Way) RewritesAfter(i int) bool {
	return slices.ContainsFunc(w.Steps[i+1:], func(s Step) bool { return s.Rewrites })
}

// pathKeepers are the handlers that leave the path of a request alone. Every other one
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
