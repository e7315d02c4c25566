package drills

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// TestClusterHole has what Redis sends to a node vanish without a word, as when a
// firewall forgets a connection: TCP takes a quarter of an hour to notice. Then it
// pulls the node's cable out for a while.
func TestClusterHole(t *testing.T) {
	t.Parallel()
	cable, err := newCable(t)
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nNOT RUN: TestClusterHole needs a network namespace, which only root may make: %v\n\n", err)
		return
	}
	c := &cluster{t: t, redis: redistest.Start(t)}
	l, err := cable.listen()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		var link *faultproxy.Proxy
		if i == 0 {
			link = faultproxy.StartOn(t, l, c.redis.Addr)
		} else {
			link = faultproxy.Start(t, c.redis.Addr)
		}
		c.add(link, integration.StartProcess(t, clusterSite, clusterEnv(link.Addr())...))
	}
	d := c.crowd(sized(100, 300), checker.Options{})
	alone := d.subscriber("news:0")
	alone.base = c.nodes[0].base
	d.hold(alone)
	until(t, "it is subscribed", alone.inside.Load)
	d.publish()
	d.goOn(200)

	cable.blackhole()
	began := time.Now()
	before := alone.seen.Load()
	// Some are on their way; those that were published later come after the repair.
	time.Sleep(time.Second)
	onTheWay := alone.seen.Load() - before
	until(t, "messages arrive again", func() bool { return alone.seen.Load() > before+onTheWay })
	repaired := time.Since(began)
	within(t, "messages arrive again after", repaired, 7*time.Second)

	d.goOn(200)
	cable.cut()
	time.Sleep(sized(4*time.Second, 20*time.Second))
	cable.mend()
	d.goOn(200)
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 || r.Disconnects > 0 {
		t.Errorf("%d gaps and %d disconnects, and Redis has lost nothing", r.Gaps, r.Disconnects)
	}
	result(t, "what Redis sends to a node vanishes, then its cable is out", "7 s; no gap, no repeat", "messages came again after %.1f s; %s", repaired.Seconds(), summary(d, r))
}
