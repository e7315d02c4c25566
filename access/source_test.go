package access

import (
	"net/http"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/config"
)

func TestSources(t *testing.T) {
	t.Parallel()
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket"}
	for _, test := range []struct {
		name    string
		from    []string
		query   string
		headers []string
		want    string
	}{
		{"nothing", []string{"header", "cookie:c", "query:q", "subprotocol", "message"}, "", nil, ""},
		{"header", []string{"header"}, "", []string{"Authorization", "bearer  a.b.c"}, "a.b.c"},
		{"another scheme", []string{"header"}, "", []string{"Authorization", "Basic abc"}, ""},
		{"cookie", []string{"cookie:c"}, "", []string{"Cookie", "b=1; c=2; d=3"}, "2"},
		{"query", []string{"query:q"}, "x=1&q=2", nil, "2"},
		{"not listed", []string{"header"}, "q=2", []string{"Cookie", "c=2"}, ""},
		{"the first listed", []string{"query:q", "header"}, "q=2", []string{"Authorization", "Bearer 1"}, "2"},
		{"an empty one", []string{"query:q", "header"}, "q=", []string{"Authorization", "Bearer 1"}, "1"},
		{"subprotocol", []string{"subprotocol"}, "", append(upgrade, "Sec-WebSocket-Protocol", "realtime.v1 , realtime.token.x"), "x"},
		{"subprotocol in a line of its own", []string{"subprotocol"}, "", append(upgrade, "Sec-WebSocket-Protocol", "a", "Sec-WebSocket-Protocol", "realtime.token.x"), "x"},
		{"subprotocol of another request", []string{"subprotocol"}, "", []string{"Sec-WebSocket-Protocol", "realtime.token.x"}, ""},
	} {
		all, err := config.ParseSources(test.from)
		if err != nil {
			t.Fatal(err)
		}
		r := incoming(nil, "192.0.2.1")
		r.Method, r.URL.RawQuery = http.MethodGet, test.query
		for i := 0; i+1 < len(test.headers); i += 2 {
			r.Header.Add(test.headers[i], test.headers[i+1])
		}
		if got := sources(all).token(r); got != test.want {
			t.Errorf("%s: %q, not %q", test.name, got, test.want)
		}
	}
}

// A route without `token` or `authorize` has no realm.
func TestParametersOfTheNilRealm(t *testing.T) {
	t.Parallel()
	if names := (*Realm)(nil).Parameters(); names != nil {
		t.Errorf("got %q", names)
	}
}
