package redis

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// Redis comes back empty. Each room on each node gets one gap, whether anything is published in
// it or not, and goes on.
func TestDrillRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := checker.New(checker.Options{})
	const rooms = 20
	channel := func(r int) string { return fmt.Sprint("room:", r) }
	var nodes []*node
	for i := range 3 {
		n := newNode(t, c, fmt.Sprint("node-", i), quickOptions(s.Addr))
		for r := range rooms {
			n.enter(channel(r))
		}
		nodes = append(nodes, n)
	}
	all := func(prefix string) {
		for r := range rooms {
			if err := nodes[r%3].send(t.Context(), channel(r), fmt.Sprintf(`"%s-%d"`, prefix, r)); err != nil {
				t.Fatal(err)
			}
		}
	}
	all("before")
	eventually(t, "all is delivered before", func() bool { return c.Behind() == 0 })
	s.Kill()
	began := time.Now()
	_, err := nodes[0].Publish(t.Context(), &hub.Message{Channel: channel(0), Content: []byte("1")}, hub.PublishOptions{Retention: kept})
	if !errors.Is(err, hub.ErrUnavailable) || time.Since(began) > 5*time.Second {
		t.Errorf("publish without Redis: %v after %v", err, time.Since(began))
	}
	if _, err := nodes[0].History(t.Context(), channel(0), kept, hub.HistoryQuery{}); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("history without Redis: %v", err)
	}
	if err := nodes[0].Attach(t.Context(), "later", kept); err != nil {
		t.Errorf("attach without Redis: %v", err)
	}
	s.Restart()
	for _, n := range nodes {
		n.await(t, "every room has a gap", func() bool { return len(n.gaps) >= rooms })
	}
	all("after")
	all("again")
	eventually(t, "all is delivered afterwards", func() bool { return c.Behind() == 0 })
	for _, n := range nodes {
		for r := range rooms {
			if got := n.gaps[channel(r)]; got != 1 {
				t.Errorf("%s: %d gaps on %s", channel(r), got, n.name)
			}
		}
	}
	if report := c.Check(); !report.OK() {
		t.Error(report)
	}
	eventually(t, "a room attached without Redis gets a position", nodes[0].brokerFor("later").findRoom("later").hasPosition)
}

// snapshot and restore take a room's log back in time. A failover to a replica that lags does
// the same.
func (s *server) snapshot(channel string) map[string]any {
	n := names{"rt:"}
	return map[string]any{
		n.meta(channel):   s.do("dump", n.meta(channel)),
		n.stream(channel): s.do("dump", n.stream(channel)),
	}
}

func (s *server) restore(dump map[string]any) {
	for key, value := range dump {
		s.do("restore", key, 0, value, "replace")
	}
}

// Redis loses the newest messages and gives their positions to others. The nodes that saw the
// lost messages announce a gap, and nobody continues over them.
func TestDrillRollback(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]struct {
		away bool // the node has no link meanwhile
		n    int  // messages that are published then
	}{
		"nothing is written": {n: 0},
		"fewer are written":  {n: 2},
		"more are written":   {n: 9},
		"away, nothing":      {away: true, n: 0},
		"away, fewer":        {away: true, n: 2},
		"away, as many":      {away: true, n: 3},
		"away, more":         {away: true, n: 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			p := faultproxy.Start(t, s.Addr)
			c := checker.New(checker.Options{Rollback: true})
			n := newNode(t, c, "node", quickOptions(p.Addr()))
			other := newNode(t, c, "other", quickOptions(s.Addr))
			n.enter("room")
			publish := func(from, to int) {
				for k := from; k <= to; k++ {
					if err := other.send(t.Context(), "room", fmt.Sprintf(`"%d"`, k)); err != nil {
						t.Fatal(err)
					}
				}
			}
			publish(1, 7)
			dump := s.snapshot("room")
			publish(8, 10)
			n.await(t, "all is delivered", func() bool { return n.last["room"].Offset == 10 })
			seen := n.last["room"]
			if after.away {
				p.Away()
			}
			s.restore(dump)
			publish(101, 100+after.n)
			p.Heal()
			n.await(t, "there is a gap", func() bool { return n.gaps["room"] == 1 })
			publish(201, 203)
			eventually(t, "all is delivered afterwards", func() bool { return c.Behind() == 0 })
			if report := c.Check(); !report.OK() {
				t.Error(report)
			}
			if n.gaps["room"] != 1 {
				t.Errorf("%d gaps", n.gaps["room"])
			}
			page, err := n.History(t.Context(), "room", kept, hub.HistoryQuery{Since: &seen, Limit: 100})
			if err != nil || !page.Lost {
				t.Errorf("since what was forgotten: %+v, %v", page, err)
			}
		})
	}
}

// A room without history goes on among the connections of each node, and publishers learn that
// it is degraded.
func TestDrillPlainDegrades(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := checker.New(checker.Options{})
	a, b := newNode(t, c, "a", quickOptions(s.Addr)), newNode(t, c, "b", quickOptions(s.Addr))
	for _, n := range []*node{a, b} {
		if err := n.Attach(t.Context(), "plain", hub.Retention{}); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(n *node, content, key string) hub.Published {
		t.Helper()
		p, err := n.Publish(t.Context(), &hub.Message{Channel: "plain", Content: []byte(content)}, hub.PublishOptions{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	publish(a, `"1"`, "")
	for _, n := range []*node{a, b} { // what Redis has not sent yet is lost with it
		n.await(t, "it arrives", func() bool { return n.count["plain"] == 1 })
	}
	s.Kill()
	if p := publish(a, `"2"`, ""); !p.Degraded {
		t.Errorf("published %+v", p)
	}
	if p := publish(a, `"3"`, "key"); !p.Degraded {
		t.Errorf("published %+v", p)
	}
	if p := publish(a, `"3"`, "key"); !p.Duplicate {
		t.Errorf("published again %+v", p)
	}
	a.await(t, "this node goes on", func() bool { return a.count["plain"] == 3 })
	s.Restart()
	k := 4
	eventually(t, "Redis is used again", func() bool {
		k++
		return !publish(a, fmt.Sprintf(`"%d"`, k), "").Degraded
	})
	if p := publish(a, `"3"`, "key"); !p.Duplicate {
		t.Errorf("published once more %+v", p)
	}
}

// Redis accepts a message and its answer is late. The subscribers on this node get the message
// once.
func TestDrillPlainReplyLate(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := faultproxy.Start(t, s.Addr)
	n := newNode(t, checker.New(checker.Options{}), "node", hastyOptions(p.Addr()))
	if err := n.Attach(t.Context(), "plain", hub.Retention{}); err != nil {
		t.Fatal(err)
	}
	publish := func(content string) bool {
		t.Helper()
		got, err := n.Publish(t.Context(), &hub.Message{Channel: "plain", Content: []byte(content)}, hub.PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return got.Degraded
	}
	n.enter("fence")
	fence := uint64(0)
	// count returns how many messages have arrived, after all that were published before.
	count := func() (count int) {
		t.Helper()
		fence++
		if err := n.send(t.Context(), "fence", fmt.Sprintf(`"%d"`, fence)); err != nil {
			t.Fatal(err)
		}
		n.await(t, "the fence arrives", func() bool { count = n.count["plain"]; return n.last["fence"].Offset == fence })
		return count
	}
	eventually(t, "Redis is used", func() bool { return !publish(`"before"`) })
	before, sent := count(), n.serial()
	p.StallReplies()
	if !publish(`"1"`) {
		t.Error("an answer came that was held back")
	}
	p.Heal()
	if got, want := count()-before, n.serial()-sent; got != want {
		t.Errorf("%d messages for %d", got, want)
	}
}

// serial returns how many messages without position the node has published.
func (n *node) serial() int { return int(n.Broker.(*Broker).serial.Load()) }

// The primary becomes a replica without closing a connection, and its name leads to another
// server. Some managed services do that.
func TestDrillDemoted(t *testing.T) {
	t.Parallel()
	old, next := startServer(t), startServer(t)
	p := faultproxy.Start(t, old.Addr)
	c := checker.New(checker.Options{Rollback: true})
	n := newNode(t, c, "node", quickOptions(p.Addr()))
	n.enter("room")
	if err := n.send(t.Context(), "room", `"before"`); err != nil {
		t.Fatal(err)
	}
	p.Redirect(next.Addr)
	host, port, _ := net.SplitHostPort(next.Addr)
	old.do("replicaof", host, port)
	eventually(t, "publishing goes to the new primary", func() bool {
		_, err := n.Publish(t.Context(), &hub.Message{Channel: "other", Content: []byte("1")}, hub.PublishOptions{Retention: kept})
		return err == nil
	})
	if err := n.send(t.Context(), "room", `"after"`); err != nil {
		t.Fatal(err)
	}
	n.await(t, "what is published there is delivered", func() bool { return n.gaps["room"] == 1 && n.last["room"].Offset == 1 })
}

// The connection of a subscription hangs without an error while commands go through.
func TestDrillSilentLink(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := faultproxy.Start(t, s.Addr)
	c := checker.New(checker.Options{})
	n, other := newNode(t, c, "node", quickOptions(p.Addr())), newNode(t, c, "other", quickOptions(s.Addr))
	n.enter("room")
	p.StallSubscribers()
	for k := range 5 {
		if err := other.send(t.Context(), "room", fmt.Sprintf(`"%d"`, k)); err != nil {
			t.Fatal(err)
		}
	}
	n.await(t, "the messages arrive all the same", func() bool { return n.last["room"].Offset == 5 })
	eventually(t, "the silence is noticed", func() bool { return n.stats().Silent > 0 })
	if report := c.Check(); !report.OK() || report.Gaps > 0 {
		t.Error(report)
	}
}
