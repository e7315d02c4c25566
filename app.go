package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

func init() { caddy.RegisterModule(new(App)) }

// App holds the hubs: the rooms, connections and messages that routes give access to. A
// hub belongs to the process and not to one configuration. It lives, with its connections,
// as long as any loaded configuration has it, and takes the options of a new configuration.
//
// A hub is defined here, and then several routes can share it, or by the route that uses
// it. The hub `default` always exists.
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
	if err := register(ctx); err != nil {
		return err
	}
	return a.onStopping(ctx)
}

// onStopping makes Caddy notify the app that the configuration ends, before anything is
// stopped. Then the next configuration comes into force, or the process exits and the
// connections are closed: the HTTP app would wait for event streams that nobody ends.
func (a *App) onStopping(ctx caddy.Context) error {
	events, err := ctx.App("events")
	if err != nil {
		return err
	}
	return events.(*caddyevents.App).On("stopping", stopping{a})
}

// stopping is notified that a configuration ends. It is a struct because Caddy logs
// handlers of events as JSON, which is impossible for a function.
type stopping struct{ app *App }

// Handle is called before anything stops, and must not wait. If there is a next
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

// Start gives the hubs the settings of the configuration. In a new hub they are in force
// at once. A hub that another configuration has keeps its settings until that one ends: an
// app that starts after this one may fail, and then nothing must have changed.
func (a *App) Start() error {
	if err := a.checkHubs(); err != nil {
		a.handOver()
		return err
	}
	for name, u := range a.hubs {
		log := a.log.With("hub", name)
		if err := u.config.OpenKinds(u.use.Settings, os.ReadFile, u.kinds); err != nil {
			a.handOver()
			return fmt.Errorf("hub '%s': %w", name, err)
		}
		u.use.Settings.LogTo(log)
		u.startRealms(a.ctx, log)
		u.use.Settings.Intake = u.intake
		u.notify.apply(u.use.Settings)
		u.applyCounted(u.use.Settings)
		u.applyPing(u.use.Settings)
		u.use.Settings.Sinks = append(u.use.Settings.Sinks, u.sinks...)
		if err := u.node.Apply(u.use); err != nil {
			a.handOver()
			return fmt.Errorf("hub '%s': %w", name, err)
		}
	}
	return nil
}

// Stop is called at the end of a configuration, and also when another app of it did not
// start: then the configuration before goes on, with its own settings. At exit it waits for
// the drain, so that the connections are closed before the process is gone.
func (a *App) Stop() error {
	a.handOver()
	a.drains.Wait()
	return nil
}

// handOver ends the uses that the configuration has of its hubs. If Caddy fails after all
// apps have started, it calls Cleanup alone. So every way in which a configuration ends
// comes here, and some come several times.
func (a *App) handOver() {
	for _, u := range a.hubs {
		u.node.HandOver(u.use)
	}
}

// drain closes the connections of all hubs.
func (a *App) drain() {
	for _, u := range a.hubs {
		a.drains.Go(func() { guard.Run(u.use.Settings.Hub.Logger, "the drain of a hub", u.node.Drain) })
	}
}

// Cleanup releases the hubs; the last configuration of a hub ends it. Caddy calls it also
// after a Provision that failed half way, so that it releases what was acquired. It clears
// no field, because requests in flight may still use the hubs.
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
