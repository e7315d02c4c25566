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
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
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
				case w.TLS != o.TLS, w.Needs != nil:
				case w.Ping > 0: // it publishes nothing and waits for seconds
					pinged.Go(func() { runTiny(t, w, e) })
				default:
					runTiny(t, w, e)
				}
			}
		})
	}
}

// TestBenchOfFeatures runs the workloads that need a site of their own, with and without what
// they are about.
func TestBenchOfFeatures(t *testing.T) {
	for _, w := range workload.All {
		if w.Needs == nil {
			continue
		}
		variants := []string{"ours"}
		switch w.Name { // the others run in the same way without it
		case "volatile":
			variants = append(variants, workload.Without)
		case "handle-message":
			variants = append(variants, workload.Without, workload.Proxy)
		case "pusher-fanout", "pusher-events", "pusher-presence":
			variants = append(variants, workload.Native)
		}
		for _, variant := range variants {
			t.Run(w.Name+"/"+variant, func(t *testing.T) { runFeature(t, w, variant) })
		}
	}
}

func runFeature(t *testing.T, w workload.Workload, variant string) {
	site, err := w.Site(variant)
	if err != nil {
		t.Fatal(err)
	}
	server := &target.Server{PID: os.Getpid(), App: site.App}
	if site.Redis {
		site.Store, server.Redis = redistest.Start(t).Addr, os.Getpid()
	}
	text, err := target.Caddyfile("{{site}}", target.Options{Dir: t.TempDir(), Site: site})
	if err != nil {
		t.Fatal(err)
	}
	c := Start(t, text)
	server.Endpoint = client.Endpoint{Addr: c.Addr("site"), Dialect: client.Native}
	s := &workload.Session{Server: server, Size: workload.Tiny, Variant: variant}
	f, err := w.Run(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if f[workload.Lost] != 0 || len(f) < 2 {
		t.Error(f)
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
