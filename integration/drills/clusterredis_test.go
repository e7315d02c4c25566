package drills

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// durable has Redis keep its log on disk, and not answer before it is there. With
// everysec it answers before it has written anything while the disk is busy, and a kill
// takes up to two seconds of acknowledged messages.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

// TestClusterRestart kills Redis, which keeps a log on disk, and starts it again: a
// delay, and nothing else.
func TestClusterRestart(t *testing.T) {
	t.Parallel()
	c := startCluster(t, durable...)
	d := c.crowd(sized(100, 300), checker.Options{})
	d.publish()
	kills := sized(2, 10)
	for range kills {
		d.goOn(sized(200, 2000))
		c.redis.Kill()
		time.Sleep(sized(0, 2*time.Second))
		c.redis.Restart()
	}
	d.goOn(sized(200, 2000))
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 || r.Disconnects > 0 {
		t.Errorf("%d gaps and %d disconnects, and Redis has lost nothing", r.Gaps, r.Disconnects)
	}
	result(t, "Redis killed and started, with its log on disk", "no gap, no repeat", "%d times; %s", kills, summary(d, r))
}

// TestClusterForgets kills a Redis that keeps nothing on disk: everybody is told once
// in each room, and stays connected.
func TestClusterForgets(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	d := c.crowd(sized(100, 300), checker.Options{})
	d.publish()
	d.goOn(sized(200, 2000))
	c.redis.Kill()
	c.redis.Restart()
	began := time.Now()
	all := d.subscriptions()
	until(t, "everybody is told", func() bool { return d.checker.Check().Gaps >= all })
	told := time.Since(began)
	within(t, "everybody is told after", told, 5*time.Second)
	d.goOn(sized(200, 2000))
	d.settle()
	r := d.verdict()
	if r.Gaps != all || r.Disconnects > 0 {
		t.Errorf("%d gaps in %d subscriptions and %d disconnects", r.Gaps, all, r.Disconnects)
	}
	result(t, "Redis killed and started, empty", "5 s; one gap each", "all %d subscriptions were told within %.1f s; %s", all, told.Seconds(), summary(d, r))
}

// TestClusterRollback takes Redis back in time, as a failover to a replica does that
// lags behind: the end of its log is cut off while it is away. Whoever saw what is
// lost is told, and nobody takes another message for one of those.
func TestClusterRollback(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startCluster(t, append(durable, "--dir", dir)...)
	d := c.crowd(sized(100, 300), checker.Options{Rollback: true})
	d.publish()
	d.goOn(sized(500, 5000))
	c.redis.Kill()
	lost := cutLog(t, dir, sized[int64](40_000, 400_000))
	c.redis.Restart()
	d.goOn(sized(500, 5000))
	d.hush()
	// Being behind proves nothing: what was acknowledged and is lost may have been seen
	// by nobody, and then the room goes on in the same epoch, with lower offsets.
	happens(func() bool { return d.checker.Check().OK() })
	r := d.verdict()
	if r.Gaps == 0 || r.Disconnects > 0 {
		t.Errorf("%d gaps and %d disconnects", r.Gaps, r.Disconnects)
	}
	result(t, "Redis rolled back", "a gap for each lost message that was seen", "the last %d kB of its log were lost; %s", lost/1000, summary(d, r))
}

// cutLog shortens the log of a Redis that is not running, by so many bytes, or half
// of it.
func cutLog(t *testing.T, dir string, by int64) int64 {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("the logs of Redis: %q, %v", logs, err)
	}
	info, err := os.Stat(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	by = min(by, info.Size()/2)
	if err := os.Truncate(logs[0], info.Size()-by); err != nil {
		t.Fatal(err)
	}
	return by
}

// TestClusterRefusals has Redis refuse in every way it can: out of memory, as a
// replica, busy with a script, paused. Publishing waits, clients stay, and all goes
// on by itself.
func TestClusterRefusals(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	d := c.crowd(100, checker.Options{})
	d.publish()
	if _, err := c.do("config", "set", "busy-reply-threshold", "100"); err != nil {
		t.Fatal(err)
	}
	for _, trouble := range []struct {
		name       string
		begin, end []any
	}{
		{"out of memory", []any{"config", "set", "maxmemory", "1"}, []any{"config", "set", "maxmemory", "0"}},
		{"a replica without its primary", []any{"replicaof", "127.0.0.1", "1"}, []any{"replicaof", "no", "one"}},
		{"paused", []any{"client", "pause", "1500", "all"}, nil},
		{"busy with a script", []any{"eval", "while true do end", "0"}, []any{"script", "kill"}},
	} {
		d.goOn(200)
		retries := d.retries()
		if _, err := c.do(trouble.begin...); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%s: %v", trouble.name, err)
		}
		until(t, "publishing is refused: "+trouble.name, func() bool { return d.retries() >= retries+20 })
		if trouble.end != nil {
			if _, err := c.do(trouble.end...); err != nil {
				t.Fatalf("%s: %v", trouble.name, err)
			}
		}
	}
	d.goOn(200)
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 || r.Disconnects > 0 {
		t.Errorf("%d gaps and %d disconnects, and Redis has lost nothing", r.Gaps, r.Disconnects)
	}
	result(t, "Redis refuses: OOM, READONLY, paused, BUSY", "no gap, no repeat, nobody disconnected", "%s", summary(d, r))
}
