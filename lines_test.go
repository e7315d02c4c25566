package realtime

import (
	"os"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// Files and variables are looked at after the Caddyfile has become JSON. The errors name
// the line all the same, and no value that may be a secret is remembered.
func TestErrorsAtLoadNameTheLine(t *testing.T) {
	t.Parallel()
	for option, want := range map[string]string{
		"room chat:* {\nschema missing-schema.json\n}":       "at Caddyfile:4",
		"token {\n\nhmac {env.LINES_UNSET_SECRET}\n}":        "at Caddyfile:5",
		"token {\npublic_key missing-key.pem\n}":             "at Caddyfile:4",
		"api_key {env.LINES_UNSET_KEY}":                      "at Caddyfile:3",
		"origins {env.LINES_UNSET_ORIGIN}":                   "at Caddyfile:3",
		"redis localhost:1 {\ntls {\nca missing.crt\n}\n}":   "at Caddyfile:5",
		"redis localhost:1 {\npassword {env.LINES_UNSET}\n}": "at Caddyfile:4",
	} {
		site := "http://127.0.0.1:0 {\nrealtime /rt {\n" + option + "\n}\n}\n"
		config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(site), map[string]any{"filename": "Caddyfile"})
		if err != nil {
			t.Errorf("%s: %v", option, err)
			continue
		}
		var c caddy.Config
		if err := caddy.StrictUnmarshalJSON(config, &c); err != nil {
			t.Fatal(err)
		}
		c.Admin = &caddy.AdminConfig{Disabled: true}
		if err := caddy.Validate(&c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", option, err, want)
		}
	}
	const secret = "a-secret-of-forty-bytes-that-stays-unknown"
	site := "http://127.0.0.1:0 {\nrealtime /rt {\napi_key " + secret + "\n}\n}\n"
	if _, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(site), nil); err != nil {
		t.Fatal(err)
	}
	namedAt.mu.Lock()
	defer namedAt.mu.Unlock()
	if _, known := namedAt.places[secret]; known {
		t.Error("a secret is remembered")
	}
}

// What is remembered has a bound.
func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	var l lines
	d := caddyfile.NewTestDispenser("schema x")
	for i := range 3 * maxLines {
		l.remember(d, "<file>", []string{strings.Repeat("x", i)})
	}
	if n := len(l.places); n > maxLines {
		t.Errorf("%d lines are remembered", n)
	}
	if err := l.locate("x", os.ErrNotExist); err != os.ErrNotExist {
		t.Errorf("a place that is forgotten: %v", err)
	}
}
