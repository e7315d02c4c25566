package realtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/dialect/socketio"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/metrics"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// hubUse is what one configuration has to do with a hub.
type hubUse struct {
	node   *node.Node
	use    *node.Use
	config *config.Hub // nil: nobody has defined it so far
	place  string      // where it is defined
	route  string      // one that uses it

	notify *routeNotify // nil: the app is not notified

	kinds    []config.Kinds    // of the apps of Pusher's protocol
	webhooks map[string]string // which route has those of an app
	sinks    []notify.Sink     // of the webhooks

	intake  *node.Intake // of the route that takes what emitters publish; nil: none does
	emitter string       // that route

	counted    []func(channel string) bool // of the apps: whose subscriptions are counted
	watchlists bool                        // an app has them

	recovering []*config.SocketIO // whose clients can recover

	ping   *config.Heartbeat // of a route whose clients of Socket.IO say it; nil: none does
	pinger string            // that route

	users  bool              // a route finds out which user sends a request
	tokens bool              // a route has 'token'
	grants bool              // a route has 'token' or 'authorize'
	realms map[string]*realm // by name
	open   map[string]bool   // the paths with a route that has no realm
}

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

// use returns the hub of a route. c defines the hub unless it is nil. The hub need not be
// defined yet, because routes are provisioned in no particular order. users says that the
// route finds out which user sends a request.
func (a *App) use(name string, c *config.Hub, route string, users bool) (*hubUse, error) {
	if err := config.CheckHubName(name); err != nil {
		return nil, err
	}
	u := a.hub(name)
	u.route, u.users = route, u.users || users
	if c == nil {
		return u, nil
	}
	return u, a.define(name, c, route)
}

// define sets what the configuration says about a hub. A second definition is fine if it
// is the same, because an imported snippet makes one.
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
	config.SetHub(compiled, name)
	u.config, u.place, u.use.Settings = c, place, compiled
	return nil
}

// hub takes a reference to the named hub on first use.
func (a *App) hub(name string) *hubUse {
	u := a.hubs[name]
	if u == nil {
		u = &hubUse{node: acquire(name), realms: make(map[string]*realm), open: make(map[string]bool), webhooks: make(map[string]string), use: node.NewUse()}
		a.hubs[name] = u
	}
	return u
}

// realm is a realm of a hub, with what the configuration says about it.
type realm struct {
	*access.Realm
	config access.Options
	place  string // of the first route
}

// sameRealm compares what two routes say about their realms.
func sameRealm(a, b *access.Options) bool {
	mine, err1 := json.Marshal(a)
	theirs, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(mine, theirs)
}

// realm returns the realm of a route; nil if the route has no options about that. Two routes
// at the same path of one hub share it and must have the same options: nothing tells of a
// connection through which of the routes it came.
func (a *App) realm(ctx caddy.Context, hub string, c access.Options, place string) (*access.Realm, error) {
	u := a.hub(hub)
	if c.Empty() {
		u.open[c.Path] = true
		return nil, nil
	}
	if there := u.realms[c.Path]; there != nil {
		if !sameRealm(&there.config, &c) {
			return nil, fmt.Errorf("'token', 'authorize' or 'handle_…' is said differently by %s and by %s, which share the hub '%s'; give one of them another path or hub", there.place, place, hub)
		}
		return there.Realm, nil
	}
	r, err := access.NewRealm(ctx, c, u.node.AppCalls)
	if err != nil {
		return nil, err
	}
	u.realms[c.Path] = &realm{Realm: r, config: c, place: place}
	return r, nil
}

// paths returns where clients of the hub come in, in order.
func (u *hubUse) paths() []string {
	all := maps.Clone(u.open)
	for path := range u.realms {
		all[path] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// startRealms lets the verifiers fetch keys, until ctx ends, and adds the realms to the
// settings of the sessions.
func (u *hubUse) startRealms(ctx context.Context, log *slog.Logger) {
	u.use.Verifiers = make(map[string]*auth.Verifier)
	realms := make(map[string]session.Realm, len(u.realms))
	for path := range u.open {
		realms[path], realms[access.OpenRealm(path)] = session.Realm{}, session.Realm{}
	}
	for name, r := range u.realms {
		realms[name] = r.Session()
		if !u.open[name] {
			realms[access.OpenRealm(name)] = r.Session()
		}
		if v := r.Verifier(); v != nil {
			u.use.Verifiers[name] = v
		}
	}
	u.use.Settings.Session.Realms = realms
	u.use.Settings.Paths = u.paths()
	u.node.HandKeys(u.use.Verifiers)
	for _, r := range u.realms {
		r.Start(ctx, log)
	}
}

// completeness finds out when all routes of a configuration are known, because only then
// something can be missing. `caddy validate` provisions the apps in no particular order and
// starts none of them, so that the last route must notice that it is the last one.
type completeness struct {
	counted  bool
	expected int // routes with the handler; 0 if it is not known
	arrived  int
	checked  bool
}

// arrive notes that a route is provisioned. The last one checks the hubs.
func (a *App) arrive(ctx caddy.Context) error {
	c := &a.complete
	if !c.counted {
		c.counted, c.expected = true, caddyhost.CountRoutes(ctx, "realtime")
	}
	if c.arrived++; c.arrived != c.expected {
		return nil
	}
	return a.checkHubs()
}

// checkHubs finds what hubs lack. It does so once for each configuration.
func (a *App) checkHubs() error {
	if a.complete.checked {
		return nil
	}
	if err := a.undefined(); err != nil {
		return err
	}
	for _, u := range a.hubs {
		if err := u.notify.checkRooms(u.config, u.kinds); err != nil {
			return err
		}
		if err := u.checkHandled(); err != nil {
			return err
		}
		if err := u.checkPing(); err != nil {
			return err
		}
		if u.intake != nil {
			if err := u.config.CheckEmitter(); err != nil {
				return fmt.Errorf("socketio: %w (%s)", err, u.emitter)
			}
		}
	}
	a.complete.checked = true
	for name, u := range a.hubs {
		u.warn(func(text string, args ...any) { a.log.Warn(text, append(args, "hub", name)...) })
	}
	return nil
}

// warn reports rooms that no client will be able to use.
func (u *hubUse) warn(warn func(text string, args ...any)) {
	if len(u.config.Rooms) == 0 && len(u.kinds) == 0 {
		warn("a hub has no rooms, so that nothing can be subscribed to")
	}
	if u.route == "" {
		return // no route leads to the hub
	}
	for _, c := range u.recovering {
		if room := c.Unrecoverable(u.config); room != "" {
			warn("'recovery' of 'socketio' has no effect without 'history' in the room, in which all clients of a namespace are", "room", room)
		}
	}
	pattern := u.config.ForUsers()
	if pattern != "" && !u.users {
		warn("a room is for users, and no route of the hub has 'user', 'token' or 'authorize', so that nobody is one", "room", pattern)
		return
	}
	for _, r := range u.config.Rooms {
		switch {
		case strings.Contains(r.Pattern, "{claim.") && !u.tokens:
			warn("a room is for users with a claim, and no route of the hub has 'token', so that nobody has one", "room", r.Pattern)
		case r.Subscribe == "granted" && !u.grants:
			warn("a room is for clients with a grant, and no route of the hub has 'token' or 'authorize', so that nobody has one", "room", r.Pattern)
		}
	}
}

// addEmitter adds what takes the events of emitters.
func (u *hubUse) addEmitter(e *socketio.Emitter, place string) error {
	if u.intake != nil {
		return fmt.Errorf("'emitter' of 'socketio' stands in %s and in %s, which share a hub; remove it from one of them", u.emitter, place)
	}
	u.intake, u.emitter = &node.Intake{Channels: e.Channels(), Patterns: e.Patterns(), Take: e.Take}, place
	return nil
}

// addPing notes the heartbeat that a route wants for its clients of Socket.IO. All connections of a hub have
// the same one: a wheel for each protocol was rejected, because the figures of metrics are counted by
// the wheel.
func (u *hubUse) addPing(c *config.Heartbeat, place string) error {
	if c == nil {
		return nil
	}
	if u.ping != nil && *u.ping != *c {
		return fmt.Errorf("'ping' of 'socketio' is said differently by %s and by %s, which share a hub", u.pinger, place)
	}
	u.ping, u.pinger = c, place
	return nil
}

// checkPing finds two heartbeats of a hub.
func (u *hubUse) checkPing() error {
	if own := u.config.Heartbeat; u.ping != nil && own != (config.Heartbeat{}) && own != *u.ping {
		return fmt.Errorf("'ping' of 'socketio' contradicts 'heartbeat' of the hub, and all connections of a hub have the same; remove one of them (%s)", u.pinger)
	}
	return nil
}

// applyPing adds the heartbeat of a route to the settings of a hub.
func (u *hubUse) applyPing(s *node.Settings) {
	if u.ping != nil {
		s.Hub.Heartbeat, s.Hub.Timeout = time.Duration(u.ping.Interval), time.Duration(u.ping.Timeout)
	}
}

// checkHandled finds a handle_message for channels that the hub does not have.
func (u *hubUse) checkHandled() error {
	for _, path := range slices.Sorted(maps.Keys(u.realms)) {
		r := u.realms[path]
		for _, c := range r.config.HandleMessages {
			if err := c.CheckReached(u.config, u.kinds...); err != nil {
				return fmt.Errorf("%s: %w", r.place, err)
			}
		}
	}
	return nil
}

// hubLine is the name under which the line of a route's option 'hub' is remembered.
func hubLine(name string) string { return "hub " + name }

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
			errs = append(errs, block.Locate(hubLine(name), fmt.Errorf("hub '%s', which is named by %s, is not defined", name, u.route)))
			continue
		}
		errs = append(errs, a.define(name, new(config.Hub), "default"))
	}
	return errors.Join(errs...)
}

// collector shows the figures of all hubs. Caddy makes a registry for each configuration, and
// each gets this one collector.
var collector = metrics.New(runningNodes)

// runningNodes lists the hubs of this process by name, those of a configuration that is about
// to end among them.
func runningNodes() map[string]*node.Node {
	all := make(map[string]*node.Node)
	nodes.Range(func(name, n any) bool {
		all[name.(string)] = n.(*node.Node)
		return true
	})
	return all
}

// register puts the collector into the registry of a configuration. Only tests have a
// configuration without one.
func register(ctx caddy.Context) error {
	registry := ctx.GetMetricsRegistry()
	if registry == nil {
		return nil
	}
	var twice prometheus.AlreadyRegisteredError
	if err := registry.Register(collector); err != nil && !errors.As(err, &twice) {
		return fmt.Errorf("registering the metrics: %w", err)
	}
	return nil
}
