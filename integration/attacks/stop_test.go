package attacks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

const stopSites = `
{
	admin {{admin}}
	servers {
		protocols h1 h2c
	}
}
http://{{site}} {
	realtime /rt {
		hub site
		room neighbours:* {
			subscribe anyone
			publish anyone
		}
	}
}
http://{{long}} {
	realtime /rt {
		hub long
		room open:* {
			subscribe anyone
			publish anyone
			history 1000
		}
	}
}
http://{{charged}} {
	realtime /rt {
		hub charged
		limits {
			rate 20/s 40
		}
		room open:* {
			subscribe anyone
		}
	}
}
`

// TestStopped has four clients stop reading or sending, which is a table of one row. The
// server takes up to a minute to give them up and does nothing meanwhile, so the row has a
// server of its own, beside the others.
func TestStopped(t *testing.T) {
	t.Parallel()
	p := integration.StartProcess(t, stopSites)
	at := func(word string) target { return target(p.Addr(word)) }
	g := newGauge(t, p, at("site"), at("admin"))
	done := table{gauge: g}
	done.run(t, attack{"four that stop reading or sending, at the same time", "each as expected", func(t *testing.T) string {
		g.allow(bounds{peak: 96 << 20, kept: 96 << 20, cpu: 3 * time.Second}) // it may hold 32 MiB
		fillHistory(t, at("long"), 200)
		return atOnce(t, stoppers(at("long"), at("charged")))
	}})
	fmt.Fprint(t.Output(), done.String())
}

// stoppers wait until the server gives them up. It takes its time with each, so that they
// run side by side.
func stoppers(long, charged target) []attack {
	return []attack{
		{"HTTP/2 streams with a window of 0, for all that has an answer", "all given up", func(t *testing.T) string {
			return stopReading(t, long, "/rt/channels/open:long/messages?limit=1", "/rt/channels/open:long/presence", "/rt/channels/open:long/document",
				"/rt/client.js", "/rt/documents.js", "/rt/openapi.json", "/rt/ready", "/rt/nothing", "/rt/sse?channel=open:9", "/rt/sse?channel=*", "/rt")
		}},
		{"an HTTP/2 connection that reads nothing at all", "closed", func(t *testing.T) string { return stopTaking(t, long) }},
		{"a body that stops", "400 INVALID_MESSAGE", func(t *testing.T) string { return stopSending(t, long) }},
		{"a body that is not read, and stops", "403 FORBIDDEN", func(t *testing.T) string { return stopSending(t, charged) }},
	}
}

// stopSending sends a part of a body, and waits for the answer.
func stopSending(t *testing.T, s target) string {
	conn, begin := s.dial(t), time.Now()
	a, err := exchange(conn, strings.Replace(post("open:1", `{"content":1`, jsonType).text(string(s)), "Content-Length: 12", "Content-Length: 100", 1))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%v (after %v)", a, time.Since(begin).Round(time.Second))
}
