package redis

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// clusterOptions returns options with which a node notices faults within the time of a test.
func clusterOptions(c *redistest.Cluster) Options {
	return Options{
		Cluster: c.Addrs(), Timeout: 500 * time.Millisecond, Probe: 500 * time.Millisecond, Check: 500 * time.Millisecond,
		Lease: 6 * time.Second,
	}
}

// busyNodes are nodes that publish into all of their rooms until end is called.
type busyNodes struct {
	t     *testing.T
	nodes []*node
	rooms int

	stop    chan struct{}
	workers sync.WaitGroup
	sent    atomic.Int64
	longest atomic.Int64 // the longest publish, with its repeats, in ns
}

func startBusy(t *testing.T, c *checker.Checker, o Options, rooms int) *busyNodes {
	t.Helper()
	b := &busyNodes{t: t, rooms: rooms, stop: make(chan struct{})}
	for i := range 3 {
		n := newNode(t, c, fmt.Sprint("node-", i), o)
		for r := range rooms {
			n.enter(b.room(r))
		}
		b.nodes = append(b.nodes, n)
	}
	for i, n := range b.nodes {
		for w := range 8 {
			b.workers.Go(func() { b.work(n, fmt.Sprint(i, ".", w)) })
		}
	}
	return b
}

func (b *busyNodes) room(r int) string { return fmt.Sprint("room:", r) }

func (b *busyNodes) work(n *node, name string) {
	for k := 0; b.t.Context().Err() == nil; k++ {
		select {
		case <-b.stop:
			return
		default:
		}
		began := time.Now()
		if n.send(b.t.Context(), b.room(rand.N(b.rooms)), fmt.Sprintf(`"%s.%d"`, name, k)) != nil {
			return
		}
		b.sent.Add(1)
		for took := int64(time.Since(began)); ; {
			longest := b.longest.Load()
			if took <= longest || b.longest.CompareAndSwap(longest, took) {
				break
			}
		}
		_ = pause(b.t.Context(), time.Millisecond)
	}
}

// after waits until n more messages have been sent. It fails when none is sent for a while; how
// many there are in a second depends on the machine.
func (b *busyNodes) after(n int64) {
	b.t.Helper()
	for end := b.sent.Load() + n; b.sent.Load() < end; {
		now := b.sent.Load()
		eventually(b.t, "one more message is sent", func() bool { return b.sent.Load() > now })
	}
}

func (b *busyNodes) end() {
	close(b.stop)
	b.workers.Wait()
}

// publishAndRead publishes without a key, so that nothing is repeated, and reads the message.
func (n *node) publishAndRead(channel, id string) {
	n.t.Helper()
	m := &hub.Message{Channel: channel, Content: []byte(id), Position: hub.Position{Anchor: 1}}
	n.pub.Sent(channel, id)
	p, err := n.Publish(n.t.Context(), m, hub.PublishOptions{Retention: kept})
	if err != nil {
		n.t.Fatal(err)
	}
	n.pub.Acked(channel, id, place(p.Position))
	if page, err := n.History(n.t.Context(), channel, kept, hub.HistoryQuery{Limit: 10}); err != nil || page.Top != p.Position {
		n.t.Errorf("the room is at %+v instead of %+v: %v", page.Top, p.Position, err)
	}
}

// A primary dies. Its replica, which has most or all of its data, takes its place.
func TestDrillClusterFailover(t *testing.T) {
	t.Parallel()
	servers := redistest.StartCluster(t, 3, true)
	o := clusterOptions(servers)
	c := checker.New(checker.Options{Rollback: true})
	b := startBusy(t, c, o, 200)
	member, other := newMembers(t, o), newMembers(t, o)
	for r := range 20 {
		member.setMember(b.room(r), "before", true)
	}
	b.after(300)
	servers.Servers[0].Kill()
	killed := time.Now()
	for r := range 20 {
		other.setMember(b.room(r), "after", true)
	}
	t.Logf("presence was out for %v", time.Since(killed))
	b.after(1000)
	b.end()
	// The cluster needs a second to notice, and usually three more for the failover. A busy
	// machine takes longer.
	if took := time.Duration(b.longest.Load()); took > patience {
		t.Errorf("a publish took %v", took)
	} else {
		t.Logf("the longest publish took %v", took)
	}
	eventually(t, "all is delivered or told of", func() bool { return c.Behind() == 0 && c.Check().OK() })
	report := c.Check()
	if !report.OK() {
		t.Error(report)
	}
	for r := range 20 {
		other.awaitMembers(b.room(r), "before", "after")
	}
	t.Logf("%d sent, %s", b.sent.Load(), report)
}

// Slots move to another server while messages are published in their rooms.
func TestDrillClusterMigration(t *testing.T) {
	t.Parallel()
	servers := redistest.StartCluster(t, 3, false)
	o := clusterOptions(servers)
	o.Partitions = 4
	o.Timeout = 5 * time.Second // longer than a busy machine pauses a process
	c := checker.New(checker.Options{})
	b := startBusy(t, c, o, 100)
	n := b.nodes[0]
	for i, tag := range partitionTags(o.Partitions) {
		quiet := "quiet:0" // a room of the partition in which nobody else publishes
		for r := 1; jumpHash(quiet, o.Partitions) != i; r++ {
			quiet = fmt.Sprint("quiet:", r)
		}
		n.enter(quiet)
		if err := n.send(t.Context(), quiet, fmt.Sprintf(`"before.%d"`, i)); err != nil {
			t.Fatal(err)
		}
		slot := int(crc16(tag) % clusterSlots)
		from := servers.Of(slot)
		servers.Move(slot, from, (from+1)%3, func() { n.publishAndRead(quiet, fmt.Sprintf(`"asked.%d"`, i)) })
		b.after(100)
	}
	b.end()
	t.Logf("the longest publish took %v", time.Duration(b.longest.Load()))
	eventually(t, "all is delivered", func() bool { return c.Behind() == 0 })
	report := c.Check()
	if !report.OK() || report.Gaps > 0 {
		t.Error(report)
	}
	t.Logf("%d sent, %s", b.sent.Load(), report)
	for _, n := range b.nodes {
		t.Logf("%s: %+v", n.name, n.stats())
	}
}
