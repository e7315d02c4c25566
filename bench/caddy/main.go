// Command caddy is cmd/caddy with the handler of park.go, and with one request more at its admin endpoint: POST
// /bench/free collects garbage and gives free memory back to the system.
package main

import (
	"net/http"
	"runtime/debug"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-realtime/caddy-realtime"
)

func main() {
	caddy.RegisterModule(free{})
	caddycmd.Main()
}

// free is a module of the admin endpoint.
type free struct{}

// CaddyModule returns the module's name.
func (free) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.bench", New: func() caddy.Module { return free{} }}
}

// Routes returns the request.
func (free) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: "/bench/free", Handler: caddy.AdminHandlerFunc(func(http.ResponseWriter, *http.Request) error {
		debug.FreeOSMemory()
		return nil
	})}}
}
