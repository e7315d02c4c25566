package caddyhost

import (
	"encoding/json"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// CountRoutes counts the routes with a handler, by its name, in the HTTP app of ctx. It is
// called when the first of them is provisioned: Caddy still has the JSON of it and of all
// later ones. It returns 0 if the routes can not be found.
func CountRoutes(ctx caddy.Context, handler string) (n int) {
	modules := ctx.Modules()
	if len(modules) == 0 {
		return 0
	}
	app, ok := modules[0].(*caddyhttp.App)
	if !ok {
		return 0
	}
	for _, server := range app.Servers {
		for _, routes := range []any{server.Routes, server.Errors, server.NamedRoutes} {
			var tree any
			text, err := json.Marshal(routes)
			if err != nil || json.Unmarshal(text, &tree) != nil {
				return 0
			}
			n += countHandlers(tree, handler)
		}
	}
	return n
}

// countHandlers counts the objects that configure the handler.
func countHandlers(tree any, handler string) (n int) {
	switch tree := tree.(type) {
	case map[string]any:
		if tree["handler"] == handler {
			n++
		}
		for _, child := range tree {
			n += countHandlers(child, handler)
		}
	case []any:
		for child := range slices.Values(tree) {
			n += countHandlers(child, handler)
		}
	}
	return n
}
