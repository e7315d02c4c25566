package drills

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// TestClusterNodes pauses a node for longer than its lease, lets it go on, and kills
// it at last, with members on it and messages on their way. The members leave when
// the lease is over, come back with the node, and leave for good; nobody is left
// behind, and nobody misses a message.
func TestClusterNodes(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	victim, other := c.nodes[0], c.nodes[1]
	rooms, many := channelsOf("chat", sized(60, 500)), sized(400, 5000)
	var watches []*memberWatch
	for part := range slices.Chunk(rooms, 100) {
		watches = append(watches, watchMembers(t, other.base, "watcher", part))
	}
	g := invite(t, victim.base, "guest", many, rooms)
	seen := func(others int) time.Duration {
		began := time.Now()
		until(t, "everybody is seen", func() bool {
			n := 0
			for _, w := range watches {
				n += w.others()
			}
			return n == others
		})
		return time.Since(began)
	}
	seen(many)
	d := c.crowd(100, checker.Options{})
	d.publish()
	d.goOn(200)

	victim.Pause()
	paused := time.Now()
	gone := seen(0)
	within(t, "the members of a paused node have left after", gone, lease+2*time.Second)
	time.Sleep(time.Until(paused.Add(sized(0, 30*time.Second))))
	victim.Resume()
	back := seen(many)
	within(t, "they are back after", back, 2*time.Second)
	d.goOn(200)

	victim.Kill()
	left := seen(0)
	within(t, "the members of a killed node have left after", left, lease+2*time.Second)
	if n := listed(t, c.nodes[2].base, rooms); n != len(rooms) {
		t.Errorf("%d members are listed, of which %d are not there", n, n-len(rooms))
	}
	g.leave()
	victim.Start()
	d.goOn(200)
	d.settle()
	r := d.verdict()
	if r.Gaps > 0 {
		t.Errorf("%d gaps, and Redis has lost nothing", r.Gaps)
	}
	for _, w := range watches {
		w.check()
	}
	result(t, "a node paused, then killed", "12 s, 2 s, 12 s; no gap, no repeat", "%d members left %.1f s after the pause, were back %.1f s after it, and left %.1f s after the kill; 0 ghosts; %s",
		many, gone.Seconds(), back.Seconds(), left.Seconds(), summary(d, r))
}
