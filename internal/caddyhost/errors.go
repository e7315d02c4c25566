package caddyhost

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// HandlesErrors reports whether the server has an error route that matches the request.
// All sites of a listener share the routes of the server.
func HandlesErrors(r *http.Request, err error) bool {
	srv, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || srv == nil || srv.Errors == nil {
		return false
	}
	r = srv.Errors.WithError(r, err) // sets the placeholders that matchers look at
	for _, route := range srv.Errors.Routes {
		if match, err := route.MatcherSets.AnyMatchWithError(r); match && err == nil {
			return true
		}
	}
	return false
}
