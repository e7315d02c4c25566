package realtime

import (
	"os"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
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
		"console\nhub nowhere":                               "at Caddyfile:4",
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
	if err := block.Locate(secret, os.ErrNotExist); err != os.ErrNotExist {
		t.Error("a secret is remembered")
	}
}

// A variable that is not set leaves nothing in a Caddyfile, so each option that needs something says so.
func TestNothingBehindAnOption(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]string{
		"api_key": "api_key {$LINES_UNSET}",
		"origins": "origins {$LINES_UNSET}",
		"redis":   "redis {$LINES_UNSET}",
		"hmac":    "token {\nhmac {$LINES_UNSET}\n}",
		"secret":  "turn {\nsecret {$LINES_UNSET}\n}",
	} {
		site := "http://127.0.0.1:0 {\nrealtime /rt {\n" + option + "\n}\n}\n"
		_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(site), map[string]any{"filename": "Caddyfile"})
		if err == nil || !strings.Contains(err.Error(), "nothing stands behind it: a variable such as {$NAME} that is not set") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
