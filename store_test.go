package realtime

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// hubWith returns the configuration of a site whose Caddyfile has an option at line 6.
func hubWith(t *testing.T, option string) []byte {
	t.Helper()
	site := "{\nadmin off\n}\nhttp://127.0.0.1:0 {\nrealtime /rt {\n" + option + "\n}\n}\n"
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(site), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(adapted, &c); err != nil {
		t.Fatal(err)
	}
	c["admin"] = map[string]any{"disabled": true, "config": map[string]any{"persist": false}}
	c["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{"writer": map[string]any{"output": "discard"}}}}
	c["apps"].(map[string]any)["tls"] = map[string]any{"disable_storage_clean": true}
	adapted, err = json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return adapted
}

// A reload that changes, adds or removes 'store' fails. Its error names the option, both values and
// their lines, and says what to do. The hub goes on.
func TestReloadThatChangesTheStore(t *testing.T) {
	one, other := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "other")
	const way = "undo the change, or restart Caddy, or give the hub another name"
	for _, c := range []struct{ name, before, after, want string }{
		{"changed", "store " + one, "store " + other, "started with 'store " + one + "' (at Caddyfile:6) and now has 'store " + other + "' (at Caddyfile:6)"},
		{"removed", "store " + one, "", "started with 'store " + one + "' (at Caddyfile:6) and now has neither 'store' nor 'redis'"},
		{"added", "", "store " + other, "started with neither 'store' nor 'redis' and now has 'store " + other + "' (at Caddyfile:6)"},
		{"for redis", "store " + one, "redis 127.0.0.1:1", "and now has 'redis 127.0.0.1:1' (at Caddyfile:6)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			load(t, hubWith(t, c.before))
			n := running("default")
			err := caddy.Load(hubWith(t, c.after), true)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), way) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if running("default") != n || !n.Ready() {
				t.Error("the hub does not go on")
			}
			load(t, hubWith(t, c.before))
		})
	}
}
