package redis

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// BenchmarkTopology publishes 200 bytes into 1000 rooms with history: in one Redis, in two, and
// in a cluster of three primaries. All run on this machine.
func BenchmarkTopology(b *testing.B) {
	two := Options{Shards: []string{startServer(b).Addr, startServer(b).Addr}}
	cluster := redistest.StartCluster(b, 3, false).Addrs()
	content := fmt.Appendf(nil, `"%0198d"`, 1)
	for _, at := range []struct {
		name string
		o    Options
	}{
		{"single", Options{Address: two.Shards[0]}},
		{"several=2", two},
		{"cluster/partitions=4", Options{Cluster: cluster, Partitions: 4}},
		{"cluster/partitions=16", Options{Cluster: cluster, Partitions: 16}},
		{"cluster/partitions=64", Options{Cluster: cluster, Partitions: 64}},
	} {
		at.o.Timeout = 5 * time.Second
		broker := open(b, at.o).Broker(deaf{})
		b.Cleanup(func() { broker.Close() })
		publish := func(i int) error {
			m := &hub.Message{Channel: fmt.Sprint("room:", i%1000), Content: content, Time: time.Now(), Position: hub.Position{Anchor: 1}}
			_, err := broker.Publish(context.Background(), m, hub.PublishOptions{Retention: hub.Retention{Size: 100, TTL: time.Hour}})
			return err
		}
		for _, callers := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("%s/callers=%d", at.name, callers), func(b *testing.B) { publishers(b, callers, publish) })
		}
	}
}

// BenchmarkIdle measures an idle node. An operation is a second. It reports the commands that
// the servers execute, and the goroutines.
func BenchmarkIdle(b *testing.B) {
	single := redistest.Start(b)
	cluster := redistest.StartCluster(b, 3, false)
	for _, at := range []struct {
		name    string
		o       Options
		servers []*redistest.Server
	}{
		{"single", Options{Address: single.Addr}, []*redistest.Server{single}},
		{"cluster/partitions=16", Options{Cluster: cluster.Addrs(), Partitions: 16}, cluster.Servers},
		{"cluster/partitions=64", Options{Cluster: cluster.Addrs(), Partitions: 64}, cluster.Servers},
	} {
		b.Run(at.name, func(b *testing.B) {
			before := runtime.NumGoroutine()
			c := open(b, at.o)
			if err := c.Join(b.Context()); err != nil {
				b.Fatal(err)
			}
			broker, members := c.Broker(deaf{}), c.Presence(unseen{})
			defer members.Close()
			defer broker.Close()
			time.Sleep(time.Second) // for the connections
			commands := executed(b, at.servers)
			b.ResetTimer()
			for range b.N {
				time.Sleep(time.Second)
			}
			b.StopTimer()
			b.ReportMetric(float64(executed(b, at.servers)-commands)/b.Elapsed().Seconds(), "commands/s")
			b.ReportMetric(float64(runtime.NumGoroutine()-before), "goroutines")
		})
	}
}

// executed returns how many commands the servers have executed for clients, without those
// inside scripts.
func executed(b *testing.B, servers []*redistest.Server) (n int) {
	b.Helper()
	for _, s := range servers {
		text, _ := s.Do("info", "commandstats").(string)
		for line := range strings.Lines(text) {
			name, values, _ := strings.Cut(strings.TrimSpace(line), ":calls=")
			calls, _, _ := strings.Cut(values, ",")
			switch strings.TrimPrefix(name, "cmdstat_") {
			case "evalsha", "eval", "publish", "spublish", "srandmember", "zrem", "ping":
				v, err := strconv.Atoi(calls)
				if err != nil {
					b.Fatal(line)
				}
				n += v
			}
		}
	}
	return n
}
