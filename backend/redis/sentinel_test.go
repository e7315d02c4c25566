package redis

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// The primary dies and a replica takes its place. The replica has everything, or all
// subscribers get a gap.
func TestDrillFailover(t *testing.T) {
	t.Parallel()
	primary := startServer(t)
	host, port, _ := net.SplitHostPort(primary.Addr)
	replica := startServer(t, "--replicaof", host, port, "--repl-diskless-sync-delay", "0")
	sentinel := redistest.StartSentinel(t, "main", primary.Server)
	eventually(t, "the replica is in step", func() bool {
		return replica.role() == "slave connected"
	})
	o := Options{Sentinels: []string{sentinel.Addr}, Master: "main", Timeout: 500 * time.Millisecond, Probe: 200 * time.Millisecond, Check: 500 * time.Millisecond}
	c := checker.New(checker.Options{Rollback: true})
	a, b := newNode(t, c, "a", o), newNode(t, c, "b", o)
	a.enter("room")
	b.enter("room")
	send := func(from, to int) {
		for k := from; k < to; k++ {
			if err := a.send(t.Context(), "room", fmt.Sprintf(`"%d"`, k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(0, 50)
	eventually(t, "all is delivered before", func() bool { return c.Behind() == 0 })
	eventually(t, "Sentinel knows the replica", func() bool { return sentinelKnows(t, sentinel, "main") })
	primary.Kill()
	began := time.Now()
	send(50, 51)
	t.Logf("publishing was out for %v", time.Since(began))
	send(51, 100)
	// The replica may lack the latest part of the log. Then it starts another epoch, and the
	// checker can not count who is behind before a subscriber got a gap.
	eventually(t, "all is delivered or told of afterwards", func() bool { return c.Behind() == 0 && c.Check().OK() })
	if report := c.Check(); !report.OK() {
		t.Error(report)
	}
}

// role returns the role of a server in the replication, and how far it is.
func (s *server) role() string {
	role, _ := s.do("role").([]any)
	if len(role) < 4 {
		return fmt.Sprint(role)
	}
	return fmt.Sprint(role[0], " ", role[3])
}

// sentinelKnows reports whether the Sentinel knows a replica that can take over.
func sentinelKnows(t *testing.T, sentinel *redistest.Server, name string) bool {
	s := &server{sentinel, t}
	replicas, _ := s.do("sentinel", "replicas", name).([]any)
	return len(replicas) > 0
}
