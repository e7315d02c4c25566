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

func TestMain(m *testing.M) { leak.Main(m, integration.RemoveProgram) }

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
		room strict:* {
			subscribe anyone
			publish anyone
			document {
				conflict strict
			}
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

// full is a hub with few places. Each check that fills one has its own: the server learns only
// after a while that the connections of another check are gone.
func full(n int) string {
	return fmt.Sprintf("realtime /full%d {\nhub full%d\nlimits {\nconnections 3\n}%s}\n", n, n, rooms)
}

// site has a hub that is as usual, one with short times, and some with few places.
var site = `
{
	admin {{admin}}
}
http://{{site}} {
	realtime /realtime {
		compression` + rooms + `	}
	realtime /short {
		hub short
		heartbeat 500ms 500ms` + strings.Replace(rooms, "\t\t\tpresence\n", "\t\t\tpresence {\n\t\t\t\tgrace 2s\n\t\t\t}\n", 1) + `	}
` + full(0) + full(1) + full(2) + `
}
`

// other has another hub at the address of the site.
var other = strings.Replace(site, "compression", "compression\n\t\thub other", 1)

// servers are the addresses of a Caddy with everything that a check may need.
type servers struct {
	usual, short Target
	// filled counts the hubs with few places that a check has filled.
	filled int
	// process is a server that a check stops; nil before the first one.
	process *integration.Process
	t       *testing.T
	// open ends a drain.
	open func() error
}

// of returns the server for a check.
func (s *servers) of(c Check) Target {
	switch {
	case slices.ContainsFunc(c.needs, func(n need) bool { return n.what == needConnections.what }):
		full := s.usual
		full.URL, full.Connections = strings.Replace(full.URL, "/realtime", fmt.Sprintf("/full%d", s.filled), 1), 3
		s.filled++
		return full
	case slices.ContainsFunc(c.needs, func(n need) bool { return n.what == needStop.what }):
		return s.stoppable()
	case slices.Contains(needsShort, c.Name):
		return s.short
	}
	return s.usual
}

// stoppable returns a server that runs in a process of its own.
func (s *servers) stoppable() Target {
	if s.process == nil {
		s.process = integration.StartProcess(s.t, "http://{{site}} {\nrealtime /realtime {\nroom plain:* {\nsubscribe anyone\n}\n}\n}\n")
	} else {
		s.process.WaitExit()
		s.process.Start()
	}
	return Target{
		URL: "ws://" + s.process.Addr("site") + "/realtime", Patience: 30 * time.Second, Rooms: map[Room]string{Plain: "plain:*"},
		Stop: func() error { s.process.Terminate(); return nil },
	}
}

// start starts a Caddy.
func start(t *testing.T) *servers {
	t.Helper()
	t.Setenv("REALTIME_TEST_SECRET", secret)
	t.Setenv("REALTIME_TEST_KEY", key)
	caddy := integration.Start(t, site)
	t.Cleanup(func() { caddy.Reload("http://{{site}} {\n}\n") }) // a Caddy that stops keeps its admin endpoint
	drains := "http://" + caddy.Addr("admin") + "/realtime/drain"
	current := site
	usual := Target{
		URL: "ws://" + caddy.Addr("site") + "/realtime", Secret: secret, Key: key, Method: "anything",
		Rooms: map[Room]string{Plain: "plain:*", History: "history:*", Presence: "presence:*", Document: "document:*", Strict: "strict:*",
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
	short := usual
	short.URL, short.Patience, short.Grace = "ws://"+caddy.Addr("site")+"/short", 30*time.Second, 2*time.Second
	return &servers{t: t, usual: usual, short: short, open: func() error { return order("DELETE", drains) }}
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
	"position is where recovery begins when messages did not pass",
	"a volatile message does not take the place of position",
	"position comes once a second at most, and with a heartbeat",
	"on a stream a bare id takes the place of position",
	"a user whose connection broke stays for the grace",
	"a user who is back within the grace was never away",
	"a user who leaves the page with 1001 stays for the grace as well",
	"the server sends heartbeats as comments on an event stream",
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

// A server may notice only after the handshake that a connection is one too many. It then closes it with 1013.
func TestClosedAfterTheHandshake(t *testing.T) {
	s := start(t)
	for _, c := range Checks() {
		if c.Name == "a connection too many is rejected, and a stream is told to come again" {
			holds(t, s.of(c), c, fault{c.Name, status, `429`, `1013`, passes})
		}
	}
}
