package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// incoming is a request as Caddy hands it to a handler.
func incoming(values map[string]string, ip string) *http.Request {
	repl := caddy.NewReplacer()
	for name, value := range values {
		repl.Set(name, value)
	}
	ctx := context.WithValue(context.Background(), caddy.ReplacerCtxKey, repl)
	ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: ip})
	return httptest.NewRequest(http.MethodPost, "http://site.example/rt/publish", nil).WithContext(ctx)
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		name, option, auth string
		values             map[string]string
		user               string
		app                bool
		code               protocol.Code
	}{
		{name: "nobody"},
		{name: "user", option: "{id}", values: map[string]string{"id": "alice"}, user: "alice"},
		{name: "user beside text", option: "x-{id}", values: map[string]string{"id": "alice"}, user: "x-alice"},
		{name: "empty placeholder", option: "x-{id}", values: map[string]string{"id": ""}},
		{name: "unknown placeholder", option: "x-{id}"},
		{name: "one of two unknown", option: "{id}-{other}", values: map[string]string{"id": "alice"}},
		{name: "control character", option: "{id}", values: map[string]string{"id": "a\nb"}, code: protocol.Unauthorized},
		{name: "no segment of a path", option: "{id}", values: map[string]string{"id": ".."}, code: protocol.Unauthorized},
		{name: "not UTF-8", option: "{id}", values: map[string]string{"id": "a\xff"}, code: protocol.Unauthorized},
		{name: "too long", option: "{id}", values: map[string]string{"id": long}, code: protocol.Unauthorized},
		{name: "first key", auth: "Bearer key-one", app: true},
		{name: "second key", auth: "bearer  key-two", app: true},
		{name: "key and user", option: "{id}", values: map[string]string{"id": "alice"}, auth: "Bearer key-two", app: true},
		{name: "wrong key", auth: "Bearer key-three", code: protocol.Unauthorized},
		{name: "empty key", auth: "Bearer ", code: protocol.Unauthorized},
		{name: "part of a key", auth: "Bearer key-", code: protocol.Unauthorized},
		{name: "token of a known user", option: "{id}", values: map[string]string{"id": "alice"}, auth: "Bearer jwt", user: "alice"},
		{name: "another scheme", auth: "Basic a2V5LW9uZQ=="},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, keys := &Identity{User: test.option}, new(Keyring)
			keys.now.Store(&apiKeys{newAPIKey("key-one", nil), newAPIKey("key-two", nil)})
			r := incoming(test.values, "192.0.2.1")
			if test.auth != "" {
				r.Header.Set("Authorization", test.auth)
			}
			if app := keys.Of(r) != nil; app != test.app {
				t.Errorf("the app: %t", !test.app)
			}
			if test.app {
				return
			}
			p, e := h.Identify(r)
			if test.code != "" {
				if e == nil || e.Code != test.code {
					t.Errorf("error %v, not %s", e, test.code)
				}
				return
			}
			if e != nil || p.User != test.user || p.IP != netip.MustParseAddr("192.0.2.1") {
				t.Errorf("got %+v, %v", p, e)
			}
		})
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	r := incoming(map[string]string{"name": `Ann "A"`, "empty": "", "odd": "\xff"}, "192.0.2.1")
	for want, info := range map[string]map[string]string{
		`{"a":"Ann \"A\"","c":"x-Ann \"A\""}`: {"a": "{name}", "b": "{empty}", "c": "x-{name}", "d": "{unknown}", "e": "{name}{empty}"},
		`{"a":"\ufffd"}`:                      {"a": "{odd}"},
		"":                                    {"b": "{empty}"},
	} {
		h := &Identity{Info: info}
		if got := string(h.info(r)); got != want {
			t.Errorf("%v: %s, not %s", info, got, want)
		}
	}
}

// TestNoKeys makes sure that no token passes where no key is configured.
func TestNoKeys(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "x"} {
		if apiKeys(nil).match(token) != nil || new(Keyring).match(token) != nil {
			t.Errorf("%q passes", token)
		}
	}
}

func TestKeysKeepTheirScopes(t *testing.T) {
	t.Parallel()
	narrow := new(policy.Scope)
	keys := apiKeys{newAPIKey("all", nil), newAPIKey("narrow", narrow), newAPIKey("last", nil)}
	for token, want := range map[string]*policy.Scope{"all": nil, "narrow": narrow, "last": nil} {
		if key := keys.match(token); key == nil || key.Scope != want {
			t.Errorf("%s: %+v", token, key)
		}
	}
}

// The id of a key does not depend on where it stands in the configuration. It is in the
// keys of the store, and so it must stay the same from one version to the next.
func TestKeyID(t *testing.T) {
	t.Parallel()
	one := apiKeys{newAPIKey("first", nil), newAPIKey("second", nil)}
	other := apiKeys{newAPIKey("second", new(policy.Scope))}
	a, b, c := one.match("first").ID, one.match("second").ID, other.match("second").ID
	if a == b || b != c || a != "0eb7e8f8fc03a9d3" {
		t.Errorf("ids %s, %s, %s", a, b, c)
	}
	if sum := sha256.Sum256([]byte("first")); strings.HasPrefix(hex.EncodeToString(sum[:]), a) {
		t.Error("the id is a part of the hash that requests are compared with")
	}
}

func TestClientIP(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1", "": "invalid IP", "@": "invalid IP",
	} {
		if got := ClientIP(incoming(nil, s)).String(); got != want {
			t.Errorf("%q: %s", s, got)
		}
	}
}
