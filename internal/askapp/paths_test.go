package askapp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/headers" // for the routes
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// asksAt asks routes that rewrite the request about a channel and a user, and returns the
// URI that an app would be asked at.
func asksAt(t *testing.T, handlers, channel, user string) (string, error) {
	t.Helper()
	var routes caddyhttp.RouteList
	config := `[{"handle":[` + handlers + `]},{"handle":[{"handler":"static_response","body":"{http.request.uri}"}]}]`
	if err := json.Unmarshal([]byte(config), &routes); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.WithValue(context.Background(), caddyhttp.ServerCtxKey, new(caddyhttp.Server))})
	defer cancel()
	a, err := New(ctx, Options{Option: "authorize", Base: "/rt", Name: "authorize", Routes: routes, Chosen: []string{"channel", "user"}, MaxAnswer: 1 << 10, Unanswered: 403})
	if err != nil {
		t.Fatal(err)
	}
	query, h := url.Values{"action": {"subscribe"}}, http.Header{}
	for name, value := range map[string]string{"channel": channel, "user": user} {
		if value != "" {
			query.Set(name, value)
			h.Set("X-Realtime-"+name, value)
		}
	}
	values := map[string]string{"action": "subscribe", "channel": channel, "user": user}
	answer, err := a.Ask(context.Background(), Request{Query: query, Header: h, Values: values})
	return string(answer.Body), err
}

// hostile are names of channels that mean something else in a URI.
var hostile = []string{
	"a/../../admin", "..", ".", "...", "a/b", "/admin", "a/", "a//b", "a;b", "a?b=c", "a?", "a#b", "#", "%2e%2e", "%2E%2E%2Fadmin", "%", "%25",
	"a b", "a&b=c", "a+b", "ä", "日本", "a=b", "a:b@c", "{env.HOME}", "a\"b", "\\..\\admin",
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, placeholder := range []string{
		"realtime.channel", "http.request.uri.query.channel", "http.request.header.X-Realtime-Channel", "http.request.header.x-realtime-channel",
		"realtime.user", "http.auth.user.id", "http.request.uri.query.user", "http.request.header.X-Realtime-User",
	} {
		for _, name := range hostile {
			channel, user := name, "ann"
			if strings.Contains(strings.ToLower(placeholder), "user") {
				channel, user = "a", name
			}
			at, err := asksAt(t, `{"handler":"rewrite","uri":"/check/{`+placeholder+`}/end?x=1"}`, channel, user)
			if strings.ContainsAny(name, `/;\`) || strings.Trim(name, ".") == "" {
				if !errors.Is(err, ErrPath) {
					t.Errorf("%s, %q: %q, %v", placeholder, name, at, err)
				}
				continue
			}
			u, parseErr := url.ParseRequestURI(at)
			if err != nil || parseErr != nil || u.Path != "/check/"+name+"/end" || u.RawQuery != "x=1" || u.Fragment != "" || strings.Count(u.EscapedPath(), "/") != 3 {
				t.Errorf("%s, %q: %q, %v, %v", placeholder, name, at, err, parseErr)
			}
		}
	}
}

// In the query and in headers every value arrives as it is.
func TestQueriesAndHeaders(t *testing.T) {
	t.Parallel()
	for _, name := range hostile {
		at, err := asksAt(t, `{"handler":"rewrite","uri":"/check?c={realtime.channel}&u={realtime.user}"}`, name, name)
		u, parseErr := url.ParseRequestURI(at)
		if err != nil || parseErr != nil || u.Path != "/check" || len(u.Query()) != 2 || u.Query().Get("c") != name || u.Query().Get("u") != name {
			t.Errorf("%q: %q, %v, %v", name, at, err, parseErr)
		}
		_, err = asksAt(t, `{"handler":"headers","request":{"set":{"X-C":["{realtime.channel}"]}}}`, name, "")
		if err != nil {
			t.Errorf("%q in a header: %v", name, err)
		}
	}
}

func TestGuardPaths(t *testing.T) {
	t.Parallel()
	const channel = "{realtime.channel}"
	type uses struct{ channel, user pathUse }
	for handler, want := range map[string]uses{
		`{"handler":"headers","response":{"set":{"X":["` + channel + `"]}}}`:                                                       {},
		`{"handler":"static_response","body":"` + channel + `"}`:                                                                   {},
		`{"handler":"rewrite","uri":"/x?c=` + channel + `"}`:                                                                       {},
		`{"handler":"rewrite","uri":"/` + channel + `?c=` + channel + `"}`:                                                         {channel: pathUse{path: true}},
		`{"handler":"rewrite","uri":"/{http.auth.user.id}"}`:                                                                       {user: pathUse{path: true}},
		`{"handler":"rewrite","query":{"set":[{"key":"c","val":"` + channel + `"}]}}`:                                              {},
		`{"handler":"rewrite","uri_substring":[{"find":"x","replace":"` + channel + `"}]}`:                                         {channel: pathUse{loose: true}},
		`{"handler":"rewrite","path_regexp":[{"find":"x","replace":"` + channel + `"}]}`:                                           {channel: pathUse{loose: true}},
		`{"handler":"vars","x":"` + channel + `"}`:                                                                                 {channel: pathUse{loose: true}},
		`{"handler":"vars","root":"/srv/{realtime.user}"}`:                                                                         {user: pathUse{loose: true}},
		`{"handler":"reverse_proxy","rewrite":{"uri":"/` + channel + `"},"headers":{"x":"` + channel + `"}}`:                       {channel: pathUse{path: true}},
		`{"handler":"reverse_proxy","upstreams":[{"dial":"` + channel + `"}]}`:                                                     {channel: pathUse{loose: true}},
		`{"handler":"reverse_proxy","handle_response":[{"routes":[{"handle":[{"handler":"rewrite","uri":"/` + channel + `"}]}]}]}`: {channel: pathUse{path: true}},
		`{"handler":"subroute","routes":[{"handle":[{"handler":"rewrite","uri":"/` + channel + `"}]}]}`:                            {channel: pathUse{path: true}},
		`{"handler":"subroute","errors":{"routes":[{"handle":[{"handler":"rewrite","uri":"/` + channel + `"}]}]}}`:                 {channel: pathUse{path: true}},
		`{"handler":"invoke","name":"x"}`:                                                                                          {channel: pathUse{loose: true}, user: pathUse{loose: true}},
	} {
		var routes caddyhttp.RouteList
		if err := json.Unmarshal([]byte(`[{"match":[{"path":["/`+channel+`"]}],"handle":[`+handler+`]}]`), &routes); err != nil {
			t.Fatal(err)
		}
		before, _ := json.Marshal(routes)
		guarded, found, err := guardPaths(routes, []string{"channel", "user"})
		if err != nil || len(found) != 2 || *found["channel"] != want.channel || *found["user"] != want.user {
			t.Errorf("%s: %+v, %v, want %+v", handler, found, err, want)
		}
		after, _ := json.Marshal(routes)
		text, _ := json.Marshal(guarded)
		if string(after) != string(before) || strings.Contains(string(text), "realtime.path.") != (want.channel.path || want.user.path) {
			t.Errorf("%s became %s", handler, text)
		}
	}
	loose := pathUse{loose: true}
	for name, want := range map[string]bool{"a": true, "a.b": true, "chat:1": true, "": true, "..": false, "a/b": false, "a?": false, "a#": false, "%2e": false, "a;b": false, `a\b`: false} {
		if loose.allow(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

// A question about nobody's channel has no value to escape.
func TestPathOfAConnection(t *testing.T) {
	t.Parallel()
	at, err := asksAt(t, `{"handler":"rewrite","uri":"/check/{realtime.action}/{realtime.channel}"}`, "", "")
	if err != nil || at != "/check/subscribe/?action=subscribe" {
		t.Errorf("%q, %v", at, err)
	}
}
