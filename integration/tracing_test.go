package integration

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// collector keeps the spans that an exporter sends, as they come (OTLP, protobuf).
type collector struct {
	mu   sync.Mutex
	sent bytes.Buffer
	more chan struct{}
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	c.sent.Write(body)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// wait waits until the spans that were sent have all the parts.
func (c *collector) wait(t *testing.T, parts ...[]byte) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		c.mu.Lock()
		all := bytes.Clone(c.sent.Bytes())
		c.mu.Unlock()
		var missing []string
		for _, p := range parts {
			if !bytes.Contains(all, p) {
				missing = append(missing, string(p))
			}
		}
		if len(missing) == 0 {
			return
		}
		select {
		case <-c.more:
		case <-late:
			t.Fatalf("no spans with %q", missing)
		}
	}
}

// TestTracing looks for spans of what a traced connection does, and for the trace in the request
// to the app.
func TestTracing(t *testing.T) {
	spans := &collector{more: make(chan struct{}, 1)}
	exporter := httptest.NewServer(spans)
	defer exporter.Close()
	asked := make(chan string, 10)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("action") + " " + r.Header.Get("Traceparent")
	}))
	defer app.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", exporter.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	c := Start(t, `http://{{site}} {
		tracing {
			span handshake
		}
		realtime /rt {
			authorize {
				on connect publish
				reverse_proxy `+app.URL+`
			}
			room a:* {
				subscribe anyone
				publish anyone
			}
		}
	}`)
	ws := dial(t, "ws://"+c.Addr("site")+"/rt")
	send(t, ws, `{"type":"message","id":1,"payload":{"channel":"a:1","content":1}}`)
	expect(t, ws, `"ack"`)
	var parts [][]byte
	traces := make(map[string]bool)
	for range 2 {
		action, parent, _ := strings.Cut(<-asked, " ")
		fields := strings.Split(parent, "-")
		if len(fields) != 4 {
			t.Fatalf("the app is asked about %s with the trace %q", action, parent)
		}
		id, err := hex.DecodeString(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		traces[fields[1]] = true
		parts = append(parts, id)
	}
	if len(traces) != 2 {
		t.Error("what a connection does has the trace of its handshake")
	}
	for _, name := range []string{"handshake", "realtime.publish", "realtime.authorize", "realtime.channel"} {
		parts = append(parts, []byte(name))
	}
	spans.wait(t, parts...)
}
