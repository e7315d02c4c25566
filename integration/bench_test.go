package integration

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/target"
	"github.com/caddy-realtime/caddy-realtime/bench/workload"
)

// TestBench runs each workload of the load generator against this process, with few
// clients: nothing is lost, and each workload has figures.
func TestBench(t *testing.T) {
	for _, o := range []target.Options{{Ping: 2 * time.Second}, {TLS: true}} {
		o.Dir = t.TempDir()
		site, err := target.Caddyfile("{{site}}", o)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(map[bool]string{false: "plain", true: "TLS"}[o.TLS], func(t *testing.T) {
			c := Start(t, "{\n\tauto_https off\n}\n"+site)
			e := client.Endpoint{Addr: c.Addr("site"), TLS: o.TLS, Dialect: client.Native}
			var pinged sync.WaitGroup
			defer pinged.Wait()
			for _, w := range workload.All {
				switch {
				case w.TLS != o.TLS:
				case w.Ping > 0: // it publishes nothing and waits for seconds
					pinged.Go(func() { runTiny(t, w, e) })
				default:
					runTiny(t, w, e)
				}
			}
		})
	}
}

func runTiny(t *testing.T, w workload.Workload, e client.Endpoint) {
	s := &workload.Session{Server: &target.Server{Endpoint: e, PID: os.Getpid()}, Size: workload.Tiny, Transport: w.Transport}
	if w.Ping > 0 {
		s.Time = w.Ping + s.Time
	}
	f, err := w.Run(context.Background(), s)
	if err != nil {
		t.Errorf("%s: %v", w.Name, err)
	} else if f[workload.Lost] != 0 || len(f) < 2 {
		t.Errorf("%s: %v", w.Name, f)
	}
}
