package main

import (
	"context"
	"os"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/bench/target"
	"github.com/caddy-realtime/caddy-realtime/bench/workload"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

// TestMain makes the test a server if [target.Program] started it.
func TestMain(m *testing.M) {
	if served() {
		os.Exit(1)
	}
	leak.Main(m)
}

// TestPeers runs a workload of each kind against the peers, with few clients. That this
// server passes them all is shown in integration.
func TestPeers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := &bench{size: workload.Tiny, dir: t.TempDir()}
	peers := &targets{ctx: ctx, dir: b.dir, known: make(map[string]*target.Target)}
	for name, workloads := range map[string][]string{
		"hub":      {"fanout-tls", "saturated"},
		"floor":    {"rooms"},
		"net/http": {"idle", "idle-tls"},
		"nchan":    {"fanout-tls", "saturated-sse", "rooms"},
	} {
		peer, err := peers.get(name)
		if err != nil {
			t.Fatal(err)
		}
		if missing := peer.Missing(); missing != "" {
			t.Logf("%s: %s", name, missing)
			continue
		}
		for _, name := range workloads {
			w, _ := workload.Find(name)
			if f, err := b.once(ctx, w, peer, ""); err != nil || f[workload.Lost] != 0 {
				t.Errorf("%s, %s: %v, %v", peer.Name, name, f, err)
			}
		}
	}
}
