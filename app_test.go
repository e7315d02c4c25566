package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/standard"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// configure returns a configuration with the given hubs in the app, and one server with
// the given routes.
func configure(hubs string, routes ...string) []byte {
	return fmt.Appendf(nil, `{
		"admin": {"disabled": true, "config": {"persist": false}},
		"logging": {"logs": {"default": {"writer": {"output": "discard"}}}},
		"apps": {
			"tls": {"disable_storage_clean": true},
			"realtime": {"hubs": %s},
			"http": {"servers": {"web": {"listen": ["127.0.0.1:0"], "routes": [%s]}}}
		}
	}`, hubs, strings.Join(routes, ","))
}

func route(options string) string {
	return `{"handle": [{"handler": "realtime"` + options + `}]}`
}

// load puts a configuration in force until the end of the test. There is one for
// the whole process, so that tests that use it are not parallel.
func load(t *testing.T, config []byte) {
	t.Helper()
	t.Cleanup(func() { _ = caddy.Stop() })
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
}

// running gives a node that a configuration has, nil if none does.
func running(name string) (n *node.Node) {
	nodes.Range(func(key, value any) bool {
		if key == name {
			n = value.(*node.Node)
		}
		return n == nil
	})
	return n
}

// fake is a connection without a network.
type fake struct{ ended chan hub.Reason }

func (fake) Write([]byte) error { return nil }
func (fake) Close()             {}

func (fake) AppendEvent(dst []byte, ev hub.Event) []byte { return protocol.AppendEnvelope(dst, ev) }
func (fake) AppendPing(dst []byte) []byte                { return dst }
func (fake) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

func connect(t *testing.T, n *node.Node) (*session.Session, <-chan hub.Reason) {
	t.Helper()
	c := fake{make(chan hub.Reason, 1)}
	s, e := n.Registry().Open(&session.Principal{}, session.Options{
		Transport: c, Encoder: c, Name: "test", OnClose: func(r hub.Reason) { c.ended <- r },
	})
	if e != nil {
		t.Fatal(e)
	}
	return s, c.ended
}

func TestValidateStartsNothing(t *testing.T) {
	var cfg *caddy.Config
	if err := json.Unmarshal(configure(`{"one": {}}`, route(`, "hub": "two", "hub_config": {}`)), &cfg); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(cfg); err != nil {
		t.Fatal(err)
	}
	if n := running("one"); n != nil {
		t.Error("the hub is still there")
	}
}

func TestReloadKeepsHubAndConnections(t *testing.T) {
	rooms := `{"default": {"rooms": [{"pattern": "%s", "subscribe": "anyone"}]}}`
	load(t, configure(fmt.Sprintf(rooms, "before"), route("")))
	n := running("default")
	s, ended := connect(t, n)
	load(t, configure(fmt.Sprintf(rooms, "after"), route("")))
	if running("default") != n {
		t.Fatal("the reload made another hub")
	}
	if _, ok := n.Registry().Hub().Conn(s.Conn().ID()); !ok {
		t.Errorf("the connection is gone: %v", <-ended)
	}
	reg := n.Registry()
	if e := reg.May(session.Caller{}, policy.Subscribe, "after"); e != nil {
		t.Errorf("the new room: %v", e)
	}
	if e := reg.May(session.Caller{}, policy.Subscribe, "before"); e == nil {
		t.Error("the old room is still there")
	}
	if refs, _ := nodes.References("default"); refs != 1 {
		t.Errorf("%d configurations hold the hub", refs)
	}
}

func TestRemovedHubEnds(t *testing.T) {
	load(t, configure(`{"stays": {}, "goes": {}}`))
	stays, goes := running("stays"), running("goes")
	_, ended := connect(t, goes)
	load(t, configure(`{"stays": {}}`))
	if running("stays") != stays || running("goes") != nil {
		t.Error("not the right hub was removed")
	}
	<-ended
	if !goes.Leaving() {
		t.Error("the removed hub takes handshakes")
	}
}

// TestFailedProvision is a reload that is wrong in a place other than ours.
func TestFailedProvision(t *testing.T) {
	load(t, configure(`{"default": {"rooms": [{"pattern": "x", "subscribe": "anyone"}]}}`))
	for name, bad := range map[string]string{
		"another module": `{"handle": [{"handler": "no_such_handler"}]}`,
		"our handler":    route(`, "origins": ["*"]`),
		"our app":        route(`, "hub_config": {"rooms": [{"pattern": "y"}]}`),
	} {
		if err := caddy.Load(configure(`{"default": {}, "new": {}}`, route(""), bad), true); err == nil {
			t.Errorf("%s: the wrong configuration loads", name)
		}
		if refs, _ := nodes.References("default"); refs != 1 {
			t.Errorf("%s: %d references after a failed reload", name, refs)
		}
		if running("new") != nil {
			t.Errorf("%s: a failed reload leaves its hub", name)
		}
		if e := running("default").Registry().May(session.Caller{}, policy.Subscribe, "x"); e != nil {
			t.Errorf("%s: a failed reload changed the rooms: %v", name, e)
		}
	}
}

// TestFailedStart is a reload that fails when some apps have started. Caddy starts
// them in no particular order, hence the repetitions.
func TestFailedStart(t *testing.T) {
	load(t, configure(`{"default": {"rooms": [{"pattern": "x", "subscribe": "anyone"}]}}`))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := strings.Replace(string(configure(`{"default": {}}`, route(""))), "127.0.0.1:0", taken.Addr().String(), 1)
	for range 10 {
		if err := caddy.Load([]byte(bad), true); err == nil {
			t.Fatal("a server starts on an address that is taken")
		}
		n := running("default")
		if e := n.Registry().May(session.Caller{}, policy.Subscribe, "x"); e != nil {
			t.Fatalf("a failed start changed the rooms: %v", e)
		}
	}
	load(t, configure(`{"default": {}}`))
	if n := running("default"); n.Registry().May(session.Caller{}, policy.Subscribe, "x") == nil {
		t.Error("the reload after it is not in force")
	}
}

// saboteur is an app that does not start. Before that it does something.
type saboteur struct{ realtime *App }

var sabotage func(*App) error

func init() { caddy.RegisterModule(new(saboteur)) }

func (*saboteur) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "saboteur", New: func() caddy.Module { return new(saboteur) }}
}

func (s *saboteur) Provision(ctx caddy.Context) error {
	app, err := ctx.App("realtime")
	if err == nil {
		s.realtime = app.(*App)
	}
	return err
}

func (s *saboteur) Start() error { return sabotage(s.realtime) }
func (s *saboteur) Stop() error  { return nil }

// untouched looks, from an app that starts after this one or when all have started, at
// whether the rooms of the configuration before are in force: "open" and not "closed".
func untouched(t *testing.T, n *node.Node, s *session.Session) {
	t.Helper()
	reg := n.Registry()
	if e := reg.May(session.Caller{}, policy.Publish, "open"); e != nil {
		t.Errorf("an open room is closed: %v", e)
	}
	if e := reg.May(session.Caller{}, policy.Publish, "closed"); e == nil {
		t.Error("a closed room is open")
	}
	if got := s.Conn().Channels(); len(got) != 1 || got[0] != "open" {
		t.Errorf("a subscription has ended, there are %v", got)
	}
}

// TestFailedStartChangesNothing is a reload of which one app fails when this one has
// started, or that fails when all have. Nothing of it is in force for any moment.
func TestFailedStartChangesNothing(t *testing.T) {
	rooms := `{"default": {"rooms": [{"pattern": "%s", "subscribe": "anyone", "publish": "anyone"}]}}`
	load(t, configure(fmt.Sprintf(rooms, "open"), route("")))
	n := running("default")
	s, _ := connect(t, n)
	if e := s.Subscribe(t.Context(), protocol.Subscribe{Channel: "open"}, session.SubscribeOptions{}); e != nil {
		t.Fatal(e)
	}
	bad := strings.Replace(string(configure(fmt.Sprintf(rooms, "closed"), route(""))), `"apps": {`, `"apps": {"saboteur": {},`, 1)
	after := 0
	sabotage = func(a *App) error {
		if a.hubs["default"].use.Verifiers != nil { // Start sets them
			after++
			untouched(t, n, s)
		}
		return errors.New("sabotage")
	}
	for i := 0; after < 3 && i < 200; i++ { // Caddy starts apps in no particular order
		if err := caddy.Load([]byte(bad), true); err == nil || !strings.Contains(err.Error(), "sabotage") {
			t.Fatalf("the reload fails with %v", err)
		}
		untouched(t, n, s)
	}
	if after < 3 {
		t.Fatal("the other app was never the last to start")
	}
	// Here all apps start, and Caddy does not even stop them.
	late := fmt.Sprintf(`{
		"admin": {"disabled": true, "config": {"persist": false, "load": {"module": "no_such_loader"}}},
		"apps": {"realtime": {"hubs": %s}}
	}`, fmt.Sprintf(rooms, "closed"))
	if err := caddy.Load([]byte(late), true); err == nil || !strings.Contains(err.Error(), "no_such_loader") {
		t.Fatalf("the reload fails with %v", err)
	}
	untouched(t, n, s)
	if refs, _ := nodes.References("default"); refs != 1 {
		t.Errorf("%d configurations hold the hub", refs)
	}
	// And a good one is in force at once, for those who are connected as well.
	load(t, configure(fmt.Sprintf(rooms, "closed"), route("")))
	if e := n.Registry().May(session.Caller{}, policy.Publish, "closed"); e != nil {
		t.Error(e)
	}
	if got := s.Conn().Channels(); len(got) != 0 {
		t.Errorf("still subscribed to %v", got)
	}
}

func TestHubDefinitions(t *testing.T) {
	room := `, "hub": "h", "hub_config": {"rooms": [{"pattern": "%s"}]}`
	a, b := route(fmt.Sprintf(room, "a")), route(`, "path": "/b"`+fmt.Sprintf(room, "b"))
	for _, test := range []struct {
		name   string
		config []byte
		want   []string // in the error; none if it loads
	}{
		{"used before it is defined", configure(`{}`, route(`, "path": "/user", "hub": "h"`), a), nil},
		{"the same twice", configure(`{"h": {"rooms": [{"pattern": "a"}]}}`, a, strings.Replace(a, `"realtime"`, `"realtime", "path": "/a"`, 1)), nil},
		{"null", configure(`{"h": null}`, route(`, "hub": "h"`)), nil},
		{"default is not defined", configure(`{}`, route("")), nil},
		{"not defined", configure(`{}`, route(`, "hub": "h"`)), []string{"'h'", "route /realtime", "127.0.0.1:0", "not defined"}},
		{"two routes", configure(`{}`, a, b), []string{"'h'", "route /realtime", "route /b"}},
		{"app and route", configure(`{"h": {}}`, a), []string{"'h'", "app 'realtime'", "route /realtime"}},
		{"bad name in the app", configure(`{"x/y": {}}`), []string{"'x/y'"}},
		{"bad name in a route", configure(`{}`, route(`, "hub": "x y"`)), []string{"'x y'"}},
		{"bad path", configure(`{}`, route(`, "path": "rt"`)), []string{"'rt'"}},
		{"bad hub", configure(`{"h": {"rooms": [{"pattern": ""}]}}`), []string{"'h'", "app 'realtime'", "pattern"}},
		{"no user", configure(`{}`, route(`, "user": "alice"`)), []string{"'alice'"}},
		{"empty key", configure(`{}`, route(`, "api_keys": [" "]`)), []string{"api_key"}},
		{"key that is not set", configure(`{}`, route(`, "api_keys": ["{env.NO_SUCH_VARIABLE}"]`)), []string{"api_key", "{env.NO_SUCH_VARIABLE}"}},
		{"origin that is not set", configure(`{}`, route(`, "origins": ["{env.NO_SUCH_VARIABLE}"]`)), []string{"origins", "{env.NO_SUCH_VARIABLE}"}},
		{"unknown field", configure(`{}`, route(`, "rooms": []`)), []string{"rooms"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Cleanup(func() { _ = caddy.Stop() })
			err := caddy.Load(test.config, true)
			if (err == nil) != (test.want == nil) {
				t.Fatalf("error %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func TestExitDrains(t *testing.T) {
	endProcess(t)
	load(t, configure(`{"default": {}}`))
	n := running("default")
	_, ended := connect(t, n)
	if !n.Ready() {
		t.Error("a node that runs is not ready")
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r != hub.ReasonRestart {
		t.Errorf("the client was told %v", r)
	}
	if n.Ready() {
		t.Error("a node is ready at exit")
	}
	if !n.Leaving() {
		t.Error("handshakes are taken at exit")
	}
}

func TestStopWithoutExit(t *testing.T) {
	load(t, configure(`{"default": {}}`))
	_, ended := connect(t, running("default"))
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r != hub.ReasonReplaced {
		t.Errorf("the client was told %v", r)
	}
}

// endProcess makes the process look, until the end of a test, as if it were about to exit.
func endProcess(t *testing.T) {
	exiting = func() bool { return true }
	t.Cleanup(func() { exiting = caddy.Exiting })
}

// A hub that panics while its clients are sent away keeps no other hub from it.
func TestPanicInTheDrainOfAHub(t *testing.T) {
	log := new(panictest.Log)
	set := &node.Settings{Hub: hub.Settings{Logger: log.Logger()}}
	sound, u := node.New(func() bool { return true }), node.NewUse()
	u.Settings = set
	if err := sound.Apply(u); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sound.Destruct() }()
	_, ended := connect(t, sound)
	var none *node.Node // every use of it panics
	a := &App{hubs: map[string]*hubUse{"broken": {node: none, use: u}, "sound": {node: sound, use: u}}}
	a.drain()
	a.drains.Wait()
	if r := <-ended; r != hub.ReasonRestart {
		t.Errorf("the client of the other hub was told %v", r)
	}
	if got := log.Panics(t, "the drain of a hub"); len(got) != 1 {
		t.Errorf("panics: %q", got)
	}
}
