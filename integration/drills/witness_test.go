package drills

import (
	"net/http"
	"runtime"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	realtime "github.com/caddy-realtime/caddy-realtime"
)

func init() {
	caddy.RegisterModule(new(witness))
	httpcaddyfile.RegisterHandlerDirective("witness", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return new(witness), nil
	})
	httpcaddyfile.RegisterDirectiveOrder("witness", httpcaddyfile.Before, "encode")
}

// witness is a handler that does nothing but stand in a site and count what the
// configuration it belongs to keeps in memory: itself, the server of the site, and
// the app of the module, which every realtime handler refers to.
type witness struct {
	_ [16]byte // small objects share their memory, and then their fate
}

// alive counts what was made for configurations and is not freed.
var alive struct{ witnesses, servers, apps atomic.Int64 }

func (*witness) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.witness", New: func() caddy.Module { return new(witness) }}
}

func (w *witness) Provision(ctx caddy.Context) error {
	track(w, &alive.witnesses)
	track(ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server), &alive.servers)
	app, err := ctx.App("realtime")
	if err != nil {
		return err
	}
	track(app.(*realtime.App), &alive.apps)
	return nil
}

func track[T any](p *T, count *atomic.Int64) {
	count.Add(1)
	runtime.AddCleanup(p, func(count *atomic.Int64) { count.Add(-1) }, count)
}

func (*witness) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(w, r)
}

// configurations is how many there are in memory, by whatever of them is kept most.
func configurations() int64 {
	runtime.GC()
	return max(alive.witnesses.Load(), alive.servers.Load(), alive.apps.Load())
}
