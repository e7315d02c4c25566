package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/node"
)

func init() { caddy.RegisterModule(new(App)) }

// App holds the hubs: the rooms, connections and messages that routes give access
// to. A hub belongs to the process and not to one configuration; it lives on as
// long as any loaded configuration has it, with its connections, and takes over
// what a new configuration says.
//
// A hub may be defined here, which several routes can share, or by the route that
// uses it. The hub `default` exists in any case.
type App struct {
	// Hubs are the hubs by name. Names consist of 1 to 64 of the characters
	// A-Z a-z 0-9 _ - and dot. Default: none.
	Hubs map[string]*config.Hub `json:"hubs,omitempty"`

	// Static after Provision.
	log *slog.Logger
	ctx context.Context // ends with the configuration

	// Written while configurations are provisioned, static afterwards.
	hubs     map[string]*hubUse
	complete completeness

	drains sync.WaitGroup
}

// hubUse is what one configuration has to do with a hub.
type hubUse struct {
	node   *node.Node
	use    *node.Use
	config *config.Hub // nil: nobody has defined it so far
	place  string      // where it is defined
	route  string      // one that uses it

	knows  bool              // a route finds out who is calling
	tokens bool              // a route has 'token'
	grants bool              // a route has 'token' or 'authorize'
	realms map[string]*realm // by name
	open   map[string]bool   // the paths with a route that has no realm
}

// CaddyModule says what the module is to Caddy.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "realtime", New: func() caddy.Module { return new(App) }}
}

// Provision checks the hubs. It starts nothing and changes nothing of hubs that
// run, because the configuration may be validated only, or fail later.
func (a *App) Provision(ctx caddy.Context) error {
	a.log = ctx.Slogger()
	a.ctx = ctx
	a.hubs = make(map[string]*hubUse)
	for name, c := range a.Hubs {
		if c == nil {
			c = new(config.Hub) // null in JSON
		}
		if err := a.define(name, c, "the app 'realtime'"); err != nil {
			return err
		}
	}
	return a.onStopping(ctx)
}

// onStopping has it known, before anything is stopped, that the configuration ends: the
// next one comes into force, or it is the end of the process and the clients are sent
// away. The HTTP app would wait for event streams that nobody ends.
func (a *App) onStopping(ctx caddy.Context) error {
	events, err := ctx.App("events")
	if err != nil {
		return err
	}
	return events.(*caddyevents.App).On("stopping", stopping{a})
}

// stopping is told that a configuration ends. It is a struct because Caddy logs
// handlers of events as JSON, which a function can not be.
type stopping struct{ app *App }

// Handle is called before anything stops, and must not wait. When there is a next
// configuration, all of its apps have started by now.
func (s stopping) Handle(context.Context, caddy.Event) error {
	s.app.handOver()
	if exiting() {
		s.app.drain()
	}
	return nil
}

// exiting tells the end of the process from that of a configuration.
var exiting = caddy.Exiting

// nodes are the hubs of this process by name, counted by the configurations that have
// them.
var nodes = caddy.NewUsagePool()

func acquire(name string) *node.Node {
	v, _, _ := nodes.LoadOrNew(name, func() (caddy.Destructor, error) { // without errors
		return node.New(func() bool { return exiting() }), nil
	})
	return v.(*node.Node)
}

func release(name string) error {
	_, err := nodes.Delete(name)
	return err
}

// use gives a route its hub, which c defines unless it is nil. The hub need
// not be defined yet: routes are provisioned in no particular order. knows says that the
// route finds out who is calling.
func (a *App) use(name string, c *config.Hub, route string, knows bool) (*hubUse, error) {
	if err := config.CheckHubName(name); err != nil {
		return nil, err
	}
	u := a.hub(name)
	u.route, u.knows = route, u.knows || knows
	if c == nil {
		return u, nil
	}
	return u, a.define(name, c, route)
}

// define says what a hub is like. To say the same twice is fine, because that is
// what an imported snippet does.
func (a *App) define(name string, c *config.Hub, place string) error {
	if err := config.CheckHubName(name); err != nil {
		return err
	}
	u := a.hub(name)
	if u.config != nil {
		if !u.config.Equal(c) {
			return fmt.Errorf("hub '%s' is defined differently by %s and by %s", name, u.place, place)
		}
		return nil
	}
	compiled, err := c.Compile(os.ReadFile)
	if err != nil {
		return fmt.Errorf("hub '%s', defined by %s: %w", name, place, err)
	}
	config.Name(compiled, name)
	u.config, u.place, u.use.Settings = c, place, compiled
	return nil
}

// hub takes a reference to the named hub on first use.
func (a *App) hub(name string) *hubUse {
	u := a.hubs[name]
	if u == nil {
		u = &hubUse{node: acquire(name), realms: make(map[string]*realm), open: make(map[string]bool), use: node.NewUse()}
		a.hubs[name] = u
	}
	return u
}

// Start hands the hubs the settings of the configuration. A new hub has them at once.
// One that another configuration has keeps what is in force until that one ends, because
// an app that is started after this one may fail, and then nothing must have changed.
func (a *App) Start() error {
	if err := a.checkHubs(); err != nil {
		a.handOver()
		return err
	}
	for name, u := range a.hubs {
		log := a.log.With("hub", name)
		u.use.Settings.LogTo(log)
		u.startRealms(a.ctx, log)
		if err := u.node.Apply(u.use); err != nil {
			a.handOver()
			return fmt.Errorf("hub '%s': %w", name, err)
		}
	}
	return nil
}

// undefined finds hubs that routes name and nobody defines. All routes have to be
// known.
func (a *App) undefined() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(a.hubs)) {
		u := a.hubs[name]
		if u.config != nil {
			continue
		}
		if name != config.DefaultHub {
			errs = append(errs, fmt.Errorf("hub '%s', which is named by %s, is not defined", name, u.route))
			continue
		}
		errs = append(errs, a.define(name, new(config.Hub), "default"))
	}
	return errors.Join(errs...)
}

// Stop is called at the end of a configuration, and also when another app of it
// did not start: then the configuration before it goes on, with its own settings.
// At exit it waits for the drain, so that clients learn where they stand before the
// process is gone.
func (a *App) Stop() error {
	a.handOver()
	a.drains.Wait()
	return nil
}

// handOver ends what the configuration has to do with the hubs. Caddy calls Cleanup
// alone where it fails after all apps have started, so that each end comes here, and
// some come several times.
func (a *App) handOver() {
	for _, u := range a.hubs {
		u.node.HandOver(u.use)
	}
}

// drain sends the clients of all hubs away.
func (a *App) drain() {
	for _, u := range a.hubs {
		a.drains.Go(func() { guard.Run(u.use.Settings.Hub.Logger, "the drain of a hub", u.node.Drain) })
	}
}

// Cleanup gives the hubs back; the last configuration of a hub ends it. It is also
// called after a Provision that failed half way, so that it goes by what was
// acquired. Requests in flight may still use the hubs, hence nothing is cleared.
func (a *App) Cleanup() error {
	a.handOver()
	var errs []error
	for name := range a.hubs {
		errs = append(errs, release(name))
	}
	return errors.Join(errs...)
}

// Interface guards.
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
