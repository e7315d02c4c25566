package protocols

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
)

// quiet is how long nothing happens on the streams: longer than each timeout below.
const quiet = 2500 * time.Millisecond

// bounds are options of Caddy that bound a request: those of the server, and directives
// of the site.
var bounds = []struct{ name, timeouts, directives string }{
	{"no option", "", ""},
	{"read_body", "read_body 1s", ""},
	{"read_body_idle", "read_body_idle 1s", ""},
	{"read_body_idle with a rate", "read_body_idle 1s 1000000", ""},
	{"read_header", "read_header 1s", ""},
	{"write", "write 1s", ""},
	{"write_idle", "write_idle 1s", ""},
	{"write_idle with a rate", "write_idle 1s 1000000", ""},
	{"write_max_chunk", "write_max_chunk 10B", ""},
	{"idle", "idle 1s", ""},
	{"all timeouts", "read_body 1s\nread_body_idle 1s\nread_header 1s\nwrite 1s\nwrite_idle 1s\nidle 1s", ""},
	{"no idle timeouts", "read_body 1s\nread_body_idle -1s\nwrite 1s\nwrite_idle -1s", ""},
	{"directive timeouts", "", "timeouts {\nread_timeout 1s 1000000\nwrite_timeout 1s 1000000\n}"},
	{"max_size", "", "request_body {\nmax_size 1KB\n}"},
	{"max_size without idle timeouts", "read_body_idle -1s", "request_body {\nmax_size 1KB\n}"},
	{"max_size below timeouts", "", "request_body {\nmax_size 1KB\n}\ntimeouts {\nread_timeout 1s\n}"},
	{"max_size and an access log", "", "log\nrequest_body {\nmax_size 1KB\n}"},
	{"encode and an access log", "write 1s", "log\nencode"},
}

// A stream is not a request that takes long. What bounds requests ends none, over any
// version of HTTP, whether the stream is quiet or busy.
func TestStreamsOutliveTheBoundsOfRequests(t *testing.T) {
	sites, addrs := boundedSites(t)
	c := integration.Start(t, sites)
	rows := openAll(t, c, addrs)
	for round := range 2 {
		time.Sleep(quiet)
		publish(t, c, fmt.Sprintf(`"round %d"`, round))
		for _, r := range rows {
			t.Run(fmt.Sprintf("%s/%d", r.name, round), func(t *testing.T) {
				if r.dead {
					t.Skip("it has ended")
				}
				r.dead = true // until it is known that it is not
				r.check(t, fmt.Sprintf(`"round %d"`, round))
				r.dead = false
			})
		}
	}
}

// boundedSites has a site for each of the bounds, without and with encode, which keeps a
// stream of HTTP/1.1 from being taken over.
func boundedSites(t *testing.T) (caddyfile string, addrs []string) {
	t.Helper()
	var servers, sites strings.Builder
	for _, b := range bounds {
		for _, more := range []string{"", "encode\n"} {
			addr := freeport.Addr(t)
			addrs = append(addrs, addr)
			_, port, _ := strings.Cut(addr, ":")
			fmt.Fprintf(&servers, "servers :%s {\ntimeouts {\n%s\n}\n}\n", port, b.timeouts)
			fmt.Fprintf(&sites, "https://%s {\n%s\n%srealtime /rt {\nhub one\n}\n}\n", addr, b.directives, more)
		}
	}
	return fmt.Sprintf(`{
		%s
		realtime one {
			heartbeat 10m 10m # a client of this test answers no ping while others are opened
			room chat:* {
				subscribe anyone
				publish anyone
			}
		}
	}
	http://{{api}} {
		realtime /rt {
			hub one
		}
	}
	%s`, servers.String(), sites.String()), addrs
}

// row is one stream to one site.
type row struct {
	name  string
	check func(t *testing.T, content string) // wants a message, and talks
	dead  bool
}

func openAll(t *testing.T, c *integration.Caddy, addrs []string) (rows []*row) {
	t.Helper()
	for i := range addrs {
		c.WaitLog(certified)
		b, encoded := bounds[i/2], i%2 == 1
		name := b.name
		if encoded {
			name += ", encode"
		}
		for _, d := range dialers {
			w, res := d.dial(t, addrs[i])
			if res.StatusCode != d.status {
				t.Fatalf("%s over %s: %s", name, d.name, res.Status)
			}
			w.name = d.name
			w.subscribe("chat:1")
			rows = append(rows,
				&row{name: name + "/WebSocket over " + d.name, check: w.talk},
				&row{name: name + "/event stream over " + d.name, check: follow(t, addrs[i], d.name)})
		}
	}
	return rows
}

// talk wants a message, and sends more than a request may have.
func (w *wire) talk(t *testing.T, content string) {
	w.t = t
	if got := w.expect("message").Payload.Content; string(got) != content {
		t.Errorf("received %s", got)
	}
	for range 15 {
		w.send(opText, `{"type":"ping","payload":{"unknown":"`+strings.Repeat("x", 80)+`"}}`)
		w.expect("pong")
	}
}

// follow opens an event stream over a version of HTTP.
func follow(t *testing.T, addr, version string) func(*testing.T, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(timeout(t), http.MethodGet, "https://"+addr+"/rt?channel=chat:1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Accept": {"text/event-stream"}}
	res, err := roundTripper(t, version).RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	expect := func(t *testing.T, text string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				return
			}
		}
		t.Fatalf("the stream ends before a line with %s: %v", text, lines.Err())
	}
	expect(t, "subscribed")
	return expect
}

func roundTripper(t *testing.T, version string) http.RoundTripper {
	insecure := &tls.Config{InsecureSkipVerify: true}
	switch version {
	case "HTTP/3":
		tr := &http3.Transport{TLSClientConfig: insecure}
		t.Cleanup(func() { _ = tr.Close() })
		return tr
	case "HTTP/2":
		tr := &http2.Transport{TLSClientConfig: insecure}
		t.Cleanup(tr.CloseIdleConnections)
		return tr
	}
	tr := &http.Transport{TLSClientConfig: insecure}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func publish(t *testing.T, c *integration.Caddy, content string) {
	t.Helper()
	res, err := http.Post("http://"+c.Addr("api")+"/rt/channels/chat:1/messages", "application/json", strings.NewReader(`{"content":`+content+`}`))
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Fatalf("publishing: %s", res.Status)
	}
}
