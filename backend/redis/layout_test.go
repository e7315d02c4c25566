package redis

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// logRecorder records a log.
type logRecorder struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *logRecorder) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// count returns how often a text was logged.
func (o *logRecorder) count(what string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Count(o.text.String(), what)
}

func (o *logRecorder) said() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *logRecorder) logger() *slog.Logger { return slog.New(slog.NewTextHandler(o, nil)) }

// A node does not start beside others that look for rooms in other places.
func TestJoin(t *testing.T) {
	t.Parallel()
	r1, r2, r3 := startServer(t).Addr, startServer(t).Addr, startServer(t).Addr
	cluster := redistest.StartCluster(t, 3, false)
	several := func(addrs ...string) Options { return Options{Shards: addrs} }
	partitions := func(n int, addr string) Options { return Options{Cluster: []string{addr}, Partitions: n} }
	for name, c := range map[string]struct {
		here, there Options
		want        []string // in the error; empty: no error
	}{
		"the same":          {here: several(r1, r2, r3), there: several(r1, r2, r3)},
		"one and several":   {here: Options{Address: r1}, there: several(r1, r2), want: []string{"Redis 1 of 1", "Redis 1 of 2", "same order"}},
		"one more":          {here: several(r1, r2, r3), there: several(r1, r2), want: []string{"of 3", "of 2"}},
		"another order":     {here: several(r1, r3, r2), there: several(r1, r2, r3), want: []string{"Redis 2 of 3", "Redis 3 of 3"}},
		"the same cluster":  {here: partitions(0, cluster.Servers[0].Addr), there: partitions(16, cluster.Servers[1].Addr)},
		"other partitions":  {here: partitions(8, cluster.Servers[0].Addr), there: partitions(0, cluster.Servers[1].Addr), want: []string{"8 partitions", "16 partitions"}},
		"one and partition": {here: partitions(1, cluster.Servers[0].Addr), there: partitions(2, cluster.Servers[2].Addr), want: []string{"1 partitions", "2 partitions"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, o := range []*Options{&c.here, &c.there} {
				o.Prefix, o.Timeout = name+":", 10*time.Second
			}
			there := open(t, c.there)
			if err := there.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
			other := c.here
			other.Prefix = "other " + name + ":"
			if err := open(t, other).Join(t.Context()); err != nil {
				t.Errorf("with another prefix: %v", err)
			}
			for range 2 { // a node that failed has announced nothing
				err := open(t, c.here).Join(t.Context())
				if (err != nil) != (len(c.want) > 0) {
					t.Errorf("joining gives %v", err)
				}
				for _, part := range c.want {
					if err != nil && !strings.Contains(err.Error(), part) {
						t.Errorf("%q is not in %v", part, err)
					}
				}
			}
			there.Close()
			if err := open(t, c.here).Join(t.Context()); err != nil {
				t.Errorf("after the other one has ended: %v", err)
			}
		})
	}
}

// A killed node does not prevent a change for ever. Neither does a node whose announcement
// seems to last long because Redis's clock was set back.
func TestJoinAfterKill(t *testing.T) {
	t.Parallel()
	r1, r2 := startServer(t), startServer(t)
	o := Options{Shards: []string{r1.Addr, r2.Addr}, Timeout: 10 * time.Second, Check: 500 * time.Millisecond}
	killed := open(t, o)
	if err := killed.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	killed.layouts.cancel()
	key := names{"rt:"}.layouts()
	r1.do("zadd", key, 9e15, "Redis 1 of 7\nnode host")
	r1.do("persist", key)
	o.Shards = []string{r2.Addr, r1.Addr}
	eventually(t, "the other order is taken", func() bool { return open(t, o).Join(t.Context()) == nil })
}

// Nodes that could not see each other log the difference when they can, and go on. Nodes that
// agree with a running one can start.
func TestJoinDifferent(t *testing.T) {
	t.Parallel()
	r1, r2 := startServer(t).Addr, startServer(t).Addr
	p := faultproxy.Start(t, r1)
	o := Options{Shards: []string{r1, r2}, Check: 2 * time.Second}
	var logs [2]logRecorder
	o.Logger = logs[0].logger()
	right := open(t, o)
	if err := right.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Away()
	wrong := open(t, Options{Address: p.Addr(), Check: 2 * time.Second, Logger: logs[1].logger()})
	if err := wrong.Join(t.Context()); err != nil {
		t.Errorf("without Redis: %v", err)
	}
	p.Heal()
	const different, same = "divide the channels differently", "in the same way again"
	for i := range logs {
		eventually(t, "both are told", func() bool {
			return logs[i].count(different) == 1 && logs[i].count("Redis 1 of 1") == 1 && logs[i].count("Redis 1 of 2") == 1
		})
	}
	if err := open(t, o).Join(t.Context()); err != nil {
		t.Errorf("one like the right one: %v", err)
	}
	wrong.Close()
	eventually(t, "it is over", func() bool { return logs[0].count(same) > 0 })
	if n := logs[0].count(different); n > 2 { // of the nodes that agree, which share a log
		t.Errorf("it was told %d times", n)
	}
}
