package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const (
	secret = "0123456789abcdef0123456789abcdef"
	key    = "k3y-0123456789abcdef"
)

// rooms has a room of each kind.
const rooms = `
		token {
			hmac {env.REALTIME_TEST_SECRET}
			leeway 1s
		}
		api_key {env.REALTIME_TEST_KEY}
		handle_call {
			header Content-Type application/json
			respond "3"
		}
		room plain:* {
			subscribe anyone
			publish anyone
		}
		room history:* {
			subscribe anyone
			publish anyone
			history 50 1h
		}
		room presence:* {
			subscribe anyone
			publish anyone
			presence
		}
		room document:* {
			subscribe anyone
			publish anyone
			document
		}
		room limited:* {
			subscribe anyone
			publish anyone
			rate 5/s 2
		}
		room pattern:* {
			subscribe anyone
			subscribe_pattern anyone
			publish anyone
		}
		room schema:* {
			subscribe anyone
			publish anyone
			schema "{\"type\": \"object\"}"
		}
`

// site has a hub that is as usual, one with short times, and one with few places.
const site = `
{
	admin {{admin}}
}
http://{{site}} {
	realtime /realtime {
		compression` + rooms + `	}
	realtime /short {
		hub short
		heartbeat 500ms 500ms` + rooms + `	}
	realtime /full {
		hub full
		limits {
			connections 3
		}` + rooms + `	}
}
`

// other has another hub at the address of the site.
var other = strings.Replace(site, "compression", "compression\n\t\thub other", 1)

// servers are the addresses of a Caddy with everything that a check may need.
type servers struct {
	usual, short, full Target
	drains             string // where a drain is ordered
}

// takesClients ends the drain of an earlier check.
func (s servers) takesClients(t *testing.T) {
	t.Helper()
	if err := order("DELETE", s.drains); err != nil {
		t.Fatal(err)
	}
}

// of returns the server for a check.
func (s servers) of(c Check) Target {
	switch {
	case slices.ContainsFunc(c.needs, func(n need) bool { return n.what == needConnections.what }):
		return s.full
	case slices.Contains(needsShort, c.Name):
		return s.short
	}
	return s.usual
}

// start starts a Caddy.
func start(t *testing.T) servers {
	t.Helper()
	t.Setenv("REALTIME_TEST_SECRET", secret)
	t.Setenv("REALTIME_TEST_KEY", key)
	caddy := integration.Start(t, site)
	drains := "http://" + caddy.Addr("admin") + "/realtime/drain"
	current := site
	usual := Target{
		URL: "ws://" + caddy.Addr("site") + "/realtime", Secret: secret, Key: key, Method: "anything",
		Rooms: map[Room]string{Plain: "plain:*", History: "history:*", Presence: "presence:*", Document: "document:*",
			Pattern: "pattern:*", Limited: "limited:*", Closed: "closed:*", Schema: "schema:*"},
		Replace: func() error {
			if current == site {
				current = other
			} else {
				current = site
			}
			return caddy.Load(current)
		},
		Drain: func() error { return order("POST", drains+"?window=1s") },
	}
	short, full := usual, usual
	short.URL, short.Patience = "ws://"+caddy.Addr("site")+"/short", 30*time.Second
	full.URL, full.Connections = "ws://"+caddy.Addr("site")+"/full", 3
	return servers{usual, short, full, drains}
}

// order sends a request to the admin endpoint.
func order(method, address string) error {
	q, err := http.NewRequest(method, address, nil)
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, address, a.Status)
	}
	return nil
}

// needsShort are the checks for which the times of a server have to be short.
var needsShort = []string{
	"the server sends heartbeats over WebSocket",
	"a client that answers no pings is closed with 4501",
	"when their token expires, a connection and a stream end with 4503",
}

// TestConformance holds this server to the page.
func TestConformance(t *testing.T) {
	s := start(t)
	report := func(r Result) {
		if r.Failed != "" || r.Skipped != "" {
			t.Errorf("%s: %s: %s%s", r.Section, r.Name, r.Failed, r.Skipped)
		}
	}
	for _, c := range Checks() {
		if _, err := Run(s.of(c), []Check{c}, report); err != nil {
			t.Fatal(err)
		}
	}
}
