package realtime

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/node"
)

// TestValidateFindsUndefinedHubs validates in both orders of the apps, which Caddy
// provisions in that of a map: each of many times it may be another one.
func TestValidateFindsUndefinedHubs(t *testing.T) {
	inline := `, "path": "/%d", "hub": "h", "hub_config": {"rooms": [{"pattern": "a"}]}`
	nested := `{"handle": [{"handler": "subroute", "routes": [` + route(`, "hub": "h"`) + `]}]}`
	for range 10 {
		for _, test := range []struct {
			config []byte
			want   string
		}{
			{configure(`{}`, route(`, "hub": "h"`)), "hub 'h', which is named by the route /realtime"},
			{configure(`{"other": {}}`, nested), "hub 'h', which is named by the route /realtime"},
			{configure(`{}`, nested, route(fmt.Sprintf(inline, 1))), ""},
			{configure(`{}`, route(fmt.Sprintf(inline, 1)), nested), ""},
			{configure(`{"h": {}}`, nested), ""},
		} {
			var cfg *caddy.Config
			if err := json.Unmarshal(test.config, &cfg); err != nil {
				t.Fatal(err)
			}
			err := caddy.Validate(cfg)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("%s: %v", test.config, err)
			}
		}
	}
}

// TestWarnings provisions apps and routes without starting them, as `caddy validate`
// does, and looks at what is said.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		use  hubUse
		want string // in the warning; none if empty
	}{
		{"no rooms", hubUse{route: "r", config: &config.Hub{}}, "no rooms"},
		{"users", hubUse{route: "r", config: &config.Hub{Rooms: []config.Room{{Pattern: "a"}}}}, "for users"},
		{"users who are known", hubUse{route: "r", users: true, config: &config.Hub{Rooms: []config.Room{{Pattern: "a"}}}}, ""},
		{"{user}", hubUse{route: "r", config: &config.Hub{Rooms: []config.Room{{Pattern: "b", Subscribe: "anyone"}, {Pattern: "a:{user}", Subscribe: "server", Publish: "users"}}}}, "for users"},
		{"a claim", hubUse{route: "r", users: true, grants: true, config: &config.Hub{Rooms: []config.Room{{Pattern: "a:{claim.team}"}}}}, "with a claim"},
		{"a claim of a token", hubUse{route: "r", users: true, tokens: true, grants: true, config: &config.Hub{Rooms: []config.Room{{Pattern: "a:{claim.team}"}}}}, ""},
		{"a grant", hubUse{route: "r", users: true, config: &config.Hub{Rooms: []config.Room{{Pattern: "a", Subscribe: "granted"}}}}, "with a grant"},
		{"anyone", hubUse{route: "r", config: &config.Hub{Rooms: []config.Room{{Pattern: "a", Subscribe: "anyone"}}}}, ""},
		{"recovery without history", recovering(0, 0), "has no effect"},
		{"recovery with history of some rooms", recovering(0, 5), "has no effect"},
		{"recovery without a room of all clients", hubUse{route: "r", recovering: []*config.SocketIO{{}}, config: &config.Hub{Rooms: []config.Room{{Pattern: "a", Subscribe: "anyone", History: config.History{Size: 5}}}}}, ""},
		{"recovery", recovering(5, 0), ""},
		{"no route", hubUse{config: &config.Hub{Rooms: []config.Room{{Pattern: "a"}}}}, ""},
	} {
		var said []string
		test.use.warn(func(text string, _ ...any) { said = append(said, text) })
		if got := strings.Join(said, "; "); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

// recovering is a hub whose clients of Socket.IO can recover, with the sizes of the histories of its rooms.
func recovering(all, other int) hubUse {
	return hubUse{route: "r", recovering: []*config.SocketIO{{Namespaces: []*config.SocketIONamespace{{Name: "/admin"}}}}, config: &config.Hub{Rooms: []config.Room{
		{Pattern: "io:*", Subscribe: "anyone", History: config.History{Size: all}},
		{Pattern: "a", Subscribe: "anyone", History: config.History{Size: other}},
	}}}
}

// TestPings has routes say the heartbeat of a hub for their clients of Socket.IO.
func TestPings(t *testing.T) {
	t.Parallel()
	slow, quick := config.Heartbeat{Interval: caddy.Duration(25 * time.Second), Timeout: caddy.Duration(20 * time.Second)}, config.Heartbeat{Interval: caddy.Duration(time.Second)}
	for _, c := range []struct {
		name  string
		own   config.Heartbeat
		pings []*config.Heartbeat
		want  string // in the error; none if empty
	}{
		{"nobody", config.Heartbeat{}, []*config.Heartbeat{nil, nil}, ""},
		{"one route", config.Heartbeat{}, []*config.Heartbeat{nil, &slow}, ""},
		{"two that agree", slow, []*config.Heartbeat{&slow, &slow}, ""},
		{"two that do not", config.Heartbeat{}, []*config.Heartbeat{&slow, &quick}, "by r0 and by r1"},
		{"the hub has another one", quick, []*config.Heartbeat{&slow}, "contradicts 'heartbeat'"},
	} {
		u := &hubUse{config: &config.Hub{Heartbeat: c.own}}
		var err error
		for i, ping := range c.pings {
			err = cmp.Or(err, u.addPing(ping, fmt.Sprint("r", i)))
		}
		err = cmp.Or(err, u.checkPing())
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
		var s node.Settings
		if u.applyPing(&s); err == nil && u.ping != nil && (s.Hub.Heartbeat != 25*time.Second || s.Hub.Timeout != 20*time.Second) {
			t.Errorf("%s: %v %v", c.name, s.Hub.Heartbeat, s.Hub.Timeout)
		}
	}
}

// TestWarnsWithoutStart has the warnings come with the last route.
func TestWarnsWithoutStart(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := &App{log: slog.New(slog.NewTextHandler(&out, nil)), hubs: make(map[string]*hubUse)}
	a.complete = completeness{counted: true, expected: 2}
	a.hubs["h"] = &hubUse{route: "r", config: new(config.Hub)}
	for _, want := range []int{0, 1, 1} {
		if err := a.arrive(caddy.Context{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "no rooms"); got != want {
			t.Errorf("warned %d times, not %d", got, want)
		}
	}
	if err := a.checkHubs(); err != nil || strings.Count(out.String(), "no rooms") != 1 {
		t.Errorf("warned again at the start: %v", err)
	}
}
