package access

import (
	"context"
	"crypto/tls"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// namingServer has a site with a name, and another in a handle block.
func namingServer() *caddyhttp.Server {
	name := func(m any) caddyhttp.Route { return caddyhttp.Route{MatcherSets: caddyhttp.MatcherSets{{m}}} }
	inner := name(caddyhttp.MatchHost{"*.inner.example"})
	outer := caddyhttp.Route{Handlers: []caddyhttp.MiddlewareHandler{&caddyhttp.Subroute{Routes: caddyhttp.RouteList{inner}}}}
	not := name(&caddyhttp.MatchNot{MatcherSets: []caddyhttp.MatcherSet{{caddyhttp.MatchHost{"not.example"}}}})
	return &caddyhttp.Server{Routes: caddyhttp.RouteList{name(&caddyhttp.MatchHost{"site.example"}), outer, not}}
}

func TestHostsKnown(t *testing.T) {
	t.Parallel()
	list := []string{"https://app.example.com", "https://*.example.org:8443"}
	for _, test := range []struct {
		host, origin string
		patterns     []string
		tls, trusted bool
		webSocket    bool
		want         bool
	}{
		{host: "site.example", want: true},
		{host: "SITE.example:8080", want: true},
		{host: "a.inner.example", want: true},
		{host: "127.0.0.1:8080", want: true},
		{host: "192.168.1.7", want: true},
		{host: "[::1]:8080", want: true},
		{host: "[fe80::1]", want: true},
		{host: "localhost:8080", want: true},
		{host: "raspberrypi:8080", want: true},
		{host: "raspberrypi.local", want: true},
		{host: "app.localhost.", want: true},
		{host: "nas.home.arpa", want: true},
		{host: "evil.example", origin: "http://evil.example"},
		{host: "evil.example"},
		{host: "evil.example:8080"},
		{host: "evil.example."},
		{host: "not.example"},
		{host: "inner.example"},
		{host: "127.0.0.1.evil.example"},
		{host: "localhost.evil.example"},
		{host: "evil.example", origin: "http://evil.example", patterns: list},
		{host: "evil.example", patterns: list},
		{host: "evil.example", origin: "https://app.example.com", patterns: list, want: true},
		{host: "app.example.com", patterns: list, want: true},
		{host: "a.example.org", patterns: list, want: true},
		{host: "example.org", patterns: list},
		{host: "evil.example", tls: true, want: true},
		{host: "evil.example", trusted: true, want: true},
		{host: "evil.example", webSocket: true, want: true}, // of no browser
		{host: "evil.example", webSocket: true, origin: "http://evil.example"},
	} {
		var os Origins
		for _, p := range test.patterns {
			o, err := ParseOrigin(p)
			if err != nil {
				t.Fatal(err)
			}
			os = append(os, o)
		}
		r := httptest.NewRequest("GET", "http://x/rt", nil)
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if test.webSocket {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
		}
		r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), httptest.NewRecorder(), namingServer())
		if test.tls {
			r.TLS = new(tls.ConnectionState)
		}
		caddyhttp.SetVar(r.Context(), caddyhttp.TrustedProxyVarKey, test.trusted)
		if got := new(Hosts).Known(r, os); got != test.want {
			t.Errorf("%+v: known %v", test, got)
		}
	}
	r := httptest.NewRequest("GET", "http://evil.example/rt", nil).WithContext(context.Background())
	if !new(Hosts).Known(r, nil) {
		t.Error("without a server nothing can be said about its names")
	}
}
