package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// taker is a node that takes frames, and writes down which it does for all.
type taker struct {
	*Intake
	client *Client

	mu   sync.Mutex
	each []string // what it has done for itself, and behind how many that were done for all
}

// takers write down what they do for all in one list.
type takers struct {
	mu   sync.Mutex
	done []string
}

func (all *takers) start(t *testing.T, addr string) *taker {
	t.Helper()
	n := &taker{client: open(t, quickOptions(addr))}
	var err error
	n.Intake, err = n.client.Intake(IntakeOptions{Channels: []string{"news"}, Patterns: []string{"press#*"}, Take: func(channel, payload string) (here, each func(context.Context)) {
		if channel != "news" && channel != "press#1" {
			t.Errorf("the channel is %q", channel)
		}
		if strings.HasPrefix(payload, "own") {
			return func(context.Context) {
				n.mu.Lock()
				defer n.mu.Unlock()
				n.each = append(n.each, fmt.Sprint(payload, " behind ", len(all.list())))
			}, nil
		}
		return nil, func(context.Context) {
			all.mu.Lock()
			defer all.mu.Unlock()
			all.done = append(all.done, payload)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	awaitMark(t, n.Intake)
	return n
}

// awaitMark waits until a node counts the frames that arrive.
func awaitMark(t *testing.T, in *Intake) {
	t.Helper()
	eventually(t, "the node counts from a mark", func() bool {
		in.mu.Lock()
		defer in.mu.Unlock()
		return in.counter.mark != "" && !in.counter.unmarked
	})
}

func (all *takers) list() []string {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Clone(all.done)
}

func (n *taker) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.each)
}

// Of several nodes one does what is to be done for all, in order, also with frames that are equal and
// with nodes that come and go.
func TestIntake(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	all := new(takers)
	a := all.start(t, s.Addr)
	eventually(t, "the first node leads", a.leads.Load)
	b := all.start(t, s.Addr)
	var want []string
	publish := func(n int) {
		for i := range n {
			text := fmt.Sprint("frame ", i%3)
			s.do("publish", []string{"news", "press#1"}[i%2], text)
			want = append(want, text)
		}
	}
	same := func(what string) {
		t.Helper()
		eventually(t, what, func() bool { return len(all.list()) >= len(want) })
		if got := all.list(); !slices.Equal(got, want) {
			t.Fatalf("%s: done %q, want %q", what, got, want)
		}
	}
	publish(50)
	same("one node does it")
	s.do("publish", "news", "own")
	own := func(n *taker) bool { return len(n.list()) == 1 && strings.HasPrefix(n.list()[0], "own ") }
	eventually(t, "each node does it", func() bool { return own(a) && own(b) })
	publish(20)
	all.start(t, s.Addr)
	publish(50)
	same("a node has come")
	publish(20)
	a.Close()
	publish(50)
	same("the leader has gone")
}

// What the leader does for itself comes behind what was published before it, and before what comes later. Another
// node does its own in the same order.
func TestIntakeOrder(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	all := new(takers)
	a := all.start(t, s.Addr)
	eventually(t, "the first node leads", a.leads.Load)
	b := all.start(t, s.Addr)
	var want []string
	frames := 0
	for i := range 60 {
		for range i % 3 {
			s.do("publish", "news", "frame")
			frames++
		}
		s.do("publish", "news", fmt.Sprint("own", i))
		want = append(want, fmt.Sprint("own", i, " behind ", frames))
	}
	eventually(t, "the leader has done everything", func() bool { return len(a.list()) == len(want) })
	if got := a.list(); !slices.Equal(got, want) {
		t.Errorf("the leader: %q, not %q", got, want)
	}
	eventually(t, "the other node has done everything", func() bool { return len(b.list()) == len(want) })
	for i, did := range b.list() {
		if what, _, _ := strings.Cut(did, " "); what != fmt.Sprint("own", i) {
			t.Errorf("the other node: %s, not own%d", did, i)
		}
	}
}

// The frames that a leader had not claimed when it died are not lost.
func TestIntakeOfADeadLeader(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	all := new(takers)
	a := all.start(t, s.Addr)
	eventually(t, "the first node leads", a.leads.Load)
	b := all.start(t, s.Addr)
	s.do("publish", "news", "before")
	eventually(t, "the leader does it", func() bool { return len(all.list()) == 1 })
	a.cancel() // dies with its lease, as far as others can see
	a.wg.Wait()
	a.leads.Store(false)
	s.do("publish", "news", "before")
	s.do("publish", "news", "after")
	eventually(t, "the next node does it", func() bool { return len(all.list()) >= 3 })
	if got := all.list(); !slices.Equal(got, []string{"before", "before", "after"}) || !b.leads.Load() {
		t.Errorf("done %q", got)
	}
}

// A node that takes something else from now on still knows which frames are done.
func TestIntakeAnew(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := open(t, quickOptions(s.Addr))
	for round := range 3 {
		got := make(chan string, 10)
		in, err := c.Intake(IntakeOptions{Channels: []string{"news", fmt.Sprint("news", round)}, Take: func(channel, payload string) (here, all func(context.Context)) {
			return nil, func(context.Context) { got <- channel + payload }
		}})
		if err != nil {
			t.Fatal(err)
		}
		awaitMark(t, in)
		for _, channel := range []string{"news", fmt.Sprint("news", round)} {
			s.do("publish", channel, "x")
			if text := <-got; text != channel+"x" {
				t.Errorf("got %s", text)
			}
		}
		in.Close()
	}
}

// A node whose subscription breaks counts anew, and nothing is done twice.
func TestIntakeAfterABreak(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	all := new(takers)
	a := all.start(t, s.Addr)
	eventually(t, "the first node leads", a.leads.Load)
	b := all.start(t, s.Addr)
	for range 5 {
		s.do("publish", "news", "x")
	}
	eventually(t, "they are done", func() bool { return len(all.list()) == 5 })
	mark := func(n *taker) string {
		n.Intake.mu.Lock()
		defer n.Intake.mu.Unlock()
		return n.counter.mark
	}
	old := mark(a)
	s.do("client", "kill", "type", "pubsub")
	eventually(t, "both count anew", func() bool {
		one, two := mark(a), mark(b)
		return one != old && one != "" && one == two
	})
	for range 5 {
		s.do("publish", "news", "x")
	}
	eventually(t, "the next are done", func() bool { return len(all.list()) >= 10 })
	b.Close()
	a.Close()
	if n := len(all.list()); n != 10 {
		t.Errorf("%d frames were done", n)
	}
}

func TestIntakeNeedsAnOrder(t *testing.T) {
	t.Parallel()
	c := &Client{shards: []*shard{{primary: slotPrimary{}}}}
	if _, err := c.Intake(IntakeOptions{}); err != errIntakeCluster {
		t.Error(err)
	}
}
