package main

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/bench/floor"
)

// parkWord is the directive of a handler that does the least for a connection: what Caddy itself
// takes for one.
const parkWord = "bench_park"

func init() {
	caddy.RegisterModule(park{})
	httpcaddyfile.RegisterHandlerDirective(parkWord, func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return park{}, nil
	})
	httpcaddyfile.RegisterDirectiveOrder(parkWord, httpcaddyfile.Before, "respond")
}

// park is the handler.
type park struct{}

// CaddyModule returns the module's name.
func (park) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers." + parkWord, New: func() caddy.Module { return new(park) }}
}

// ServeHTTP implements [caddyhttp.MiddlewareHandler].
func (park) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	return floor.Park(w, r)
}
