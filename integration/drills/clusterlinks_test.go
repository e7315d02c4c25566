package drills

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// TestClusterLinks breaks the links of the nodes to Redis in all ways, one after the
// other and now and then two at once, while all of them publish. Nobody may notice
// more than a delay, and all transports have to show one order.
func TestClusterLinks(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	d := c.crowd(sized(200, 500), checker.Options{})
	d.publish()
	faults := c.breakLinks(sized(6*time.Second, drillTime))
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 {
		t.Errorf("%d gaps, and Redis has lost nothing", r.Gaps)
	}
	if r.Disconnects > 0 {
		t.Errorf("%d clients were disconnected, because Redis was away", r.Disconnects)
	}
	result(t, "links reset, stalled and rejected", "no gap, no repeat, nobody disconnected", "%d faults of links; %s", faults, summary(d, r))
}

// breakLinks breaks a link every 0.3 to 1 s, for up to 1.5 s.
func (c *cluster) breakLinks(span time.Duration) (faults int) {
	for end := time.Now().Add(span); time.Now().Before(end); faults++ {
		link := c.nodes[rand.N(len(c.nodes))].link
		switch rand.N(3) {
		case 0:
			link.Reset()
		case 1:
			link.Stall()
		default:
			link.Away()
		}
		if rand.N(5) == 0 {
			c.nodes[rand.N(len(c.nodes))].link.Reset()
		}
		time.Sleep(rand.N(1500 * time.Millisecond))
		link.Heal()
		time.Sleep(300*time.Millisecond + rand.N(700*time.Millisecond))
	}
	return faults
}
