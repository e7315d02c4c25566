package redis

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// patience is how long a drill waits for what must happen in the end.
const patience = 20 * time.Second

var kept = hub.Retention{Size: 5000, TTL: time.Hour}

// witness is a sink that treats positions as a hub does, and reports to a checker.
type witness struct {
	s *checker.Subscriber

	mu      sync.Mutex
	last    map[string]hub.Position
	gaps    map[string]int
	count   map[string]int // of messages without position
	changed chan struct{}  // closed and replaced with each call
}

func newWitness(s *checker.Subscriber) *witness {
	return &witness{
		s: s, last: make(map[string]hub.Position), gaps: make(map[string]int),
		count: make(map[string]int), changed: make(chan struct{}),
	}
}

func (w *witness) Broadcast(channel string, ms ...*hub.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range ms {
		at, p := w.last[channel], m.Position
		if p.IsZero() {
			w.count[channel]++
			w.s.Message(channel, checker.Position{}, string(m.Content))
			continue
		}
		switch {
		case at.Epoch == p.Epoch && p.Offset <= at.Offset:
			// The checker finds it.
		case at.Epoch != p.Epoch || p.Offset != at.Offset+1:
			w.gap(channel, hub.Position{Epoch: p.Epoch, Offset: p.Offset - 1})
		}
		w.last[channel] = p
		w.s.Message(channel, place(p), string(m.Content))
	}
	w.wake()
}

func (w *witness) Skip(channel string, to hub.Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gap(channel, to)
	w.last[channel] = to
	w.wake()
}

func (w *witness) gap(channel string, to hub.Position) {
	w.gaps[channel]++
	w.s.Gap(channel, place(to))
}

func (w *witness) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// await waits until a condition holds. It checks the condition under the lock.
func (w *witness) await(t *testing.T, what string, enough func() bool) {
	t.Helper()
	over := time.After(patience)
	for {
		w.mu.Lock()
		done, changed := enough(), w.changed
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-over:
			t.Fatalf("this does not happen: %s", what)
		}
	}
}

func place(p hub.Position) checker.Position {
	return checker.Position{Epoch: p.Epoch, Offset: p.Offset}
}

// node is one node of a drill.
type node struct {
	t    *testing.T
	name string
	hub.Broker
	*witness
	pub   *checker.Publisher
	hasty bool // its options are those of hastyOptions
}

// quickOptions returns options with which a node notices faults within the time of a test. It
// notices a broken connection at once. It waits for a command, because a busy machine may pause
// a node or its Redis, and then Redis is not away.
func quickOptions(addr string) Options {
	return Options{
		Address: addr, Timeout: 2 * time.Second, Probe: 150 * time.Millisecond, Check: 500 * time.Millisecond,
	}
}

// hastyOptions is quickOptions for drills in which Redis does not answer but no connection breaks. Any
// call may then fail, even while Redis is there.
func hastyOptions(addr string) Options {
	o := quickOptions(addr)
	o.Timeout = 200 * time.Millisecond
	return o
}

func newNode(t *testing.T, c *checker.Checker, name string, o Options) *node {
	w := newWitness(c.Subscriber(name))
	b := open(t, o).Broker(w)
	t.Cleanup(func() { b.Close() })
	return &node{t, name, b, w, c.Publisher(name), o.Timeout == hastyOptions("").Timeout}
}

// brokerFor returns the broker of the shard that has a channel.
func (n *node) brokerFor(channel string) *Broker {
	if bs, ok := n.Broker.(brokers); ok {
		return bs.brokerOf(channel)
	}
	return n.Broker.(*Broker)
}

func (n *node) stats() Stats { return n.Broker.(interface{ Stats() Stats }).Stats() }

// enter attaches a room and subscribes at its position. A hasty node may fail, and tries again
// as a client would.
func (n *node) enter(channel string) {
	n.t.Helper()
	if err := n.Attach(n.t.Context(), channel, kept); err != nil {
		n.t.Fatal(err)
	}
	var page hub.HistoryPage
	for again := true; again; {
		var err error
		page, err = n.History(n.t.Context(), channel, kept, hub.HistoryQuery{})
		again = n.hasty && errors.Is(err, hub.ErrUnavailable) && pause(n.t.Context(), 10*time.Millisecond) == nil
		if err != nil && !again {
			n.t.Fatal(err)
		}
	}
	n.witness.mu.Lock()
	defer n.witness.mu.Unlock()
	n.s.Subscribed(channel, place(page.Top), false)
	n.last[channel] = page.Top
}

// send publishes until the message is acknowledged.
func (n *node) send(ctx context.Context, channel, id string) error {
	m := &hub.Message{Channel: channel, Content: []byte(id), Time: time.Now()}
	n.pub.Sent(channel, id)
	for {
		m.Position.Anchor = crc32.ChecksumIEEE(m.Content) | 1
		p, err := n.Publish(ctx, m, hub.PublishOptions{Retention: kept, Key: id})
		if err == nil {
			n.pub.Acked(channel, id, place(p.Position))
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// Links break in all ways while three nodes publish in forty rooms.
func TestDrillLinks(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := checker.New(checker.Options{})
	const rooms, seconds = 40, 6
	var nodes []*node
	var proxies []*faultproxy.Proxy
	for i := range 3 {
		p := faultproxy.Start(t, s.Addr)
		n := newNode(t, c, fmt.Sprint("node-", i), hastyOptions(p.Addr()))
		for r := range rooms {
			n.enter(fmt.Sprint("room:", r))
		}
		nodes, proxies = append(nodes, n), append(proxies, p)
	}
	end := time.Now().Add(seconds * time.Second)
	var wg sync.WaitGroup
	var sent atomic.Int64
	for i, n := range nodes {
		for worker := range 4 {
			wg.Go(func() {
				for k := 0; time.Now().Before(end); k++ {
					id := fmt.Sprintf(`"%d.%d.%d"`, i, worker, k)
					if n.send(t.Context(), fmt.Sprint("room:", rand.N(rooms)), id) != nil {
						return
					}
					sent.Add(1)
				}
			})
		}
	}
	faults := 0
	for time.Now().Before(end) {
		p := proxies[rand.N(len(proxies))]
		switch rand.N(3) {
		case 0:
			p.Reset()
		case 1:
			p.Stall()
		case 2:
			p.Away()
		}
		faults++
		_ = pause(t.Context(), 50*time.Millisecond+rand.N(600*time.Millisecond))
		p.Heal()
		_ = pause(t.Context(), 50*time.Millisecond+rand.N(200*time.Millisecond))
	}
	wg.Wait()
	eventually(t, "all is delivered", func() bool { return c.Behind() == 0 })
	report := c.Check()
	if !report.OK() || report.Gaps > 0 {
		t.Error(report)
	}
	for i, n := range nodes {
		t.Logf("node %d: %+v", i, n.stats())
	}
	t.Logf("%d faults, %d sent, %s", faults, sent.Load(), report)
}

// eventually polls until a condition holds that nothing announces.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for over := time.Now().Add(patience); !so(); {
		if time.Now().After(over) {
			t.Fatalf("this does not happen: %s", what)
		}
		_ = pause(t.Context(), 5*time.Millisecond)
	}
}

// More rooms than may wait for confirmation at once lose their link, and all of them catch up.
func TestDrillManyRooms(t *testing.T) {
	t.Parallel()
	const rooms = maxUnconfirmed + 500
	s := startServer(t)
	p := faultproxy.Start(t, s.Addr)
	c := checker.New(checker.Options{})
	n, other := newNode(t, c, "node", quickOptions(p.Addr())), newNode(t, c, "other", quickOptions(s.Addr))
	channel := func(r int) string { return fmt.Sprint("room:", r) }
	each := func(do func(r int)) {
		var wg sync.WaitGroup
		for w := range 64 {
			wg.Go(func() {
				for r := w; r < rooms; r += 64 {
					do(r)
				}
			})
		}
		wg.Wait()
	}
	each(func(r int) { n.enter(channel(r)) })
	p.Away()
	each(func(r int) { _ = other.send(t.Context(), channel(r), fmt.Sprintf(`"%d"`, r)) })
	p.Heal()
	for left := c.Behind(); left > 0; left = c.Behind() { // how fast depends on the machine
		eventually(t, "more is delivered", func() bool { return c.Behind() < left })
	}
	if report := c.Check(); !report.OK() || report.Gaps > 0 {
		t.Error(report)
	}
}
