package access

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestParseOrigin(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"https://app.example.com", "http://localhost:3000", "https://*.example.com", "https://*.example.com:8443",
		"http://[::1]:8080", "capacitor://localhost", "https://EXAMPLE.com",
	} {
		if _, err := ParseOrigin(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{
		"", "*", "null", "example.com", "//example.com", "https://", "https://example.com/", "https://example.com/app",
		"https://example.com?x", "https://user@example.com", "https://*", "https://*.", "https://app*.example.com",
		"https://*.*.example.com", "https://app.*.com", "https://exam ple.com", "https://example.com:port",
		"https://münchen.example",
	} {
		if p, err := ParseOrigin(s); err == nil {
			t.Errorf("%q passes as %+v", s, p)
		}
	}
}

func TestOriginsAllow(t *testing.T) {
	t.Parallel()
	list := []string{"https://app.example.com", "https://*.example.org", "http://localhost:3000"}
	for _, test := range []struct {
		name, origin string
		patterns     []string
		want         bool
	}{
		{"none sent", "", nil, true},
		{"none sent, with a list", "", list, true},
		{"same", "http://site.example", nil, true},
		{"same, with its port", "http://site.example:80", nil, true},
		{"same, in capitals", "http://SITE.example", nil, true},
		{"another scheme", "https://site.example", nil, false},
		{"another port", "http://site.example:8080", nil, false},
		{"another host", "http://evil.example", nil, false},
		{"a host that begins like it", "http://site.example.evil.example", nil, false},
		{"null", "null", nil, false},
		{"empty scheme", "//site.example", nil, false},
		{"garbage", "http://%zz", nil, false},
		{"listed", "https://app.example.com", list, true},
		{"listed, with its port", "https://app.example.com:443", list, true},
		{"listed with a port", "http://localhost:3000", list, true},
		{"listed with another port", "http://localhost:3001", list, false},
		{"listed with another scheme", "http://app.example.com", list, false},
		{"below a wildcard", "https://a.example.org", list, true},
		{"deep below a wildcard", "https://a.b.example.org", list, true},
		{"the wildcard's own host", "https://example.org", list, false},
		{"across the border of a label", "https://badexample.org", list, false},
		{"a wildcard in front of another", "https://a.example.org.evil.example", list, false},
		{"same, but not listed", "http://site.example", list, false},
		{"null, with a list", "null", list, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var os Origins
			for _, p := range test.patterns {
				o, err := ParseOrigin(p)
				if err != nil {
					t.Fatal(err)
				}
				os = append(os, o)
			}
			r := httptest.NewRequest(http.MethodGet, "http://site.example/rt", nil)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if got := os.Allow(r); got != test.want {
				t.Errorf("allowed: %v", got)
			}
		})
	}
}

func TestOriginOfTLS(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "https://site.example/rt", nil)
	r.Header.Set("Origin", "https://site.example")
	r.TLS = new(tls.ConnectionState)
	if !(Origins)(nil).Allow(r) {
		t.Error("the same origin is refused over TLS")
	}
	r.Header.Set("Origin", "http://site.example")
	if (Origins)(nil).Allow(r) {
		t.Error("a page without TLS is let in over TLS")
	}
}

func TestTwoOrigins(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "http://site.example/rt", nil)
	r.Header["Origin"] = []string{"http://site.example", "http://evil.example"}
	if (Origins)(nil).Allow(r) {
		t.Error("a request with two origins is let in")
	}
}

// TestCrossSiteWithoutOrigin is about the requests for which browsers send no
// Origin, such as those of an img element.
func TestCrossSiteWithoutOrigin(t *testing.T) {
	t.Parallel()
	for site, want := range map[string]bool{"same-origin": true, "none": true, "cross-site": false, "same-site": false} {
		r := httptest.NewRequest(http.MethodGet, "http://site.example/rt", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		if got := (Origins)(nil).Allow(r); got != want {
			t.Errorf("%s allowed: %v", site, got)
		}
	}
}

// The error of a page that may not connect has, for the log, what was compared.
func TestRejectedOriginHasADetail(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "http://site.example:8080/realtime", nil)
	r.Header.Set("Origin", "http://evil.example")
	narrowed, err := ParseOrigins([]string{"https://app.example", "https://*.example.org:8443"})
	if err != nil {
		t.Fatal(err)
	}
	for want, os := range map[string]Origins{
		`the origin is "http://evil.example"; allowed: the site itself, http://site.example:8080`:       nil,
		`the origin is "http://evil.example"; allowed: https://app.example, https://*.example.org:8443`: narrowed,
	} {
		if e := os.Reject(r); e.Detail != want || strings.Contains(e.Message, "example") {
			t.Errorf("%s: %s", e.Detail, e.Message)
		}
	}
}
