package redis

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// executorStub is an executor that notes its orders.
type executorStub struct {
	*Control
	mu       sync.Mutex
	orders   []string
	ago      []time.Duration
	informed int
	ends     int  // connections for each order
	plain    bool // it does not understand the order "strange"
}

func newServant(t *testing.T, o Options, ends int) *executorStub {
	s := &executorStub{ends: ends}
	s.Control = open(t, o).Control(s)
	t.Cleanup(s.Close)
	return s
}

func (s *executorStub) Execute(body []byte, ago time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders, s.ago = append(s.orders, string(body)), append(s.ago, ago)
	if strings.HasPrefix(string(body), "strange") && s.plain {
		return 0, errors.New("not understood")
	}
	return s.ends, nil
}

// Forwarded implements hub.Receiver.
func (s *executorStub) Forwarded(request []byte) ([]byte, error) {
	if strings.HasPrefix(string(request), "strange") && s.plain {
		return nil, errors.New("not understood")
	}
	return fmt.Appendf(nil, "%s did %s", s.Node(), request), nil
}

// Respond implements hub.Responder.
func (s *executorStub) Respond(question []byte) ([]byte, error) {
	if strings.HasPrefix(string(question), "strange") && s.plain {
		return nil, errors.New("not understood")
	}
	return fmt.Appendf(nil, "%s to %s", s.Node(), question), nil
}

func (s *executorStub) Informed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.informed++
}

// awaitExecuted waits until exactly these orders were executed, in any order. An order that was sent
// twice may be executed twice.
func (s *executorStub) awaitExecuted(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	eventually(t, fmt.Sprintf("%.100q are executed", want), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		got := slices.Clone(s.orders)
		slices.Sort(got)
		return slices.Equal(slices.Compact(got), want)
	})
}

// awaitReady waits until the node takes part.
func (s *executorStub) awaitReady(t *testing.T) *executorStub {
	t.Helper()
	eventually(t, "the node is informed and subscribed", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		l, n := s.c.link, s.c.names
		return s.informed == 1 && l.isLive(n.ordered()) && l.isLive(n.answers(s.c.node))
	})
	return s
}

func (s *executorStub) give(t *testing.T, o hub.Order, want hub.Answers) {
	t.Helper()
	if got, err := s.Order(t.Context(), o); err != nil || got != want {
		t.Errorf("%.50q is answered with %+v, %v; want %+v", o.Body, got, err, want)
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b, c := newServant(t, patientOptions(r.Addr), 1).awaitReady(t), newServant(t, patientOptions(r.Addr), 20).awaitReady(t), newServant(t, patientOptions(r.Addr), 300).awaitReady(t)
	odd := "\x00 \r\n {}:" + string(bytes.Repeat([]byte{0xff}, hub.MaxOrder-20))
	a.give(t, hub.Order{Body: []byte(odd)}, hub.Answers{Nodes: 2, Ended: 320})
	b.give(t, hub.Order{Body: []byte("two")}, hub.Answers{Nodes: 2, Ended: 301})
	a.awaitExecuted(t, "two")
	b.awaitExecuted(t, odd)
	c.awaitExecuted(t, odd, "two")
	if _, err := a.Order(t.Context(), hub.Order{Body: make([]byte, hub.MaxOrder+1)}); err == nil {
		t.Error("an order of any size is taken")
	}
	// Another hub on the same Redis receives nothing.
	o := patientOptions(r.Addr)
	o.Prefix = "other:"
	other := newServant(t, o, 7).awaitReady(t)
	a.give(t, hub.Order{Body: []byte("three")}, hub.Answers{Nodes: 2, Ended: 320})
	other.give(t, hub.Order{Body: []byte("four")}, hub.Answers{})
	other.awaitExecuted(t)
	for i, ago := range c.ago {
		if ago < 0 || ago > 20*time.Second {
			t.Errorf("order %d is %v old", i, ago)
		}
	}
	if n := r.do("pttl", a.c.names.orders()); n.(int64) <= 0 {
		t.Errorf("the orders stay for ever: %v", n)
	}
}

// A node that is cut off or has died is pending until its lease is over, as it is missing in the
// answers to a question. Nobody waits for it.
func TestOrderAfterDeath(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b := newServant(t, patientOptions(r.Addr), 1).awaitReady(t), newServant(t, patientOptions(r.Addr), 20).awaitReady(t)
	soon := time.Now().Add(time.Minute).UnixMilli()
	r.do("zadd", a.c.names.announced(), soon, "dead")
	r.do("zadd", a.c.names.announced(), soon, a.c.node)
	r.do("zadd", a.c.names.announced(), soon, b.c.node)
	began := time.Now()
	a.give(t, hub.Order{Body: []byte("x")}, hub.Answers{Nodes: 1, Ended: 20, Pending: 1})
	if took := time.Since(began); took >= a.answerTime() {
		t.Errorf("the node was waited for: %v", took)
	}
	r.do("zadd", a.c.names.announced(), 1, "dead")
	a.give(t, hub.Order{Body: []byte("y"), Name: "y"}, hub.Answers{Nodes: 1, Ended: 20})
}

// A node that does not understand an order does not count as one that has executed it, and
// nobody waits for it.
func TestOrderNotUnderstood(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b, c := newServant(t, patientOptions(r.Addr), 1).awaitReady(t), newServant(t, patientOptions(r.Addr), 20).awaitReady(t), newServant(t, patientOptions(r.Addr), 300).awaitReady(t)
	c.mu.Lock()
	c.plain = true
	c.mu.Unlock()
	began := time.Now()
	a.give(t, hub.Order{Body: []byte("strange")}, hub.Answers{Nodes: 1, Ended: 20, Pending: 1})
	if took := time.Since(began); took >= a.answerTime() {
		t.Errorf("the node was waited for: %v", took)
	}
	b.awaitExecuted(t, "strange")
	// An empty order does not replace a standing one.
	a.give(t, hub.Order{Body: []byte("x"), Name: "x"}, hub.Answers{Nodes: 2, Ended: 320})
	if _, err := a.Order(t.Context(), hub.Order{Name: "x"}); err == nil {
		t.Error("an empty order is given")
	}
	if got := r.do("hget", a.c.names.standing(), "x"); got != "x" {
		t.Errorf("the standing order is %v", got)
	}
}

// When many orders are sent at once, each reaches all nodes and is answered.
func TestOrdersTogether(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b := newServant(t, patientOptions(r.Addr), 1).awaitReady(t), newServant(t, patientOptions(r.Addr), 1).awaitReady(t)
	const many = 3 * orderPageSize
	var wg sync.WaitGroup
	var want []string
	for i := range many {
		body := fmt.Sprintf("%04d", i)
		want = append(want, body)
		wg.Go(func() {
			// Under such a load an answer may be late, but none may be invented.
			if got, err := a.Order(t.Context(), hub.Order{Body: []byte(body)}); err != nil || got.Nodes+got.Pending != 1 || got.Ended != got.Nodes {
				t.Errorf("%s is answered with %+v, %v", body, got, err)
			}
		})
	}
	wg.Wait()
	b.awaitExecuted(t, want...)
	if len(b.orders) != many {
		t.Errorf("%d orders were executed, want %d", len(b.orders), many)
	}
}

// A node that starts later executes the standing orders that have not ended, and no others.
func TestStandingOrders(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a := newServant(t, patientOptions(r.Addr), 0).awaitReady(t)
	for _, o := range []hub.Order{
		{Body: []byte("once")},
		{Body: []byte("old"), Name: "x"},
		{Body: []byte("new"), Name: "x"},
		{Body: []byte("short"), Name: "s", Lasts: time.Millisecond},
		{Body: []byte("hour"), Name: "h\x00{}", Lasts: time.Hour},
	} {
		a.give(t, o, hub.Answers{})
	}
	time.Sleep(5 * time.Millisecond)
	a.give(t, hub.Order{Body: []byte("last"), Name: "l", Lasts: time.Hour}, hub.Answers{}) // and "short" is removed
	newServant(t, patientOptions(r.Addr), 0).awaitReady(t).awaitExecuted(t, "new", "hour", "last")

	var want []string
	for i := range 1200 { // more than are read at once
		body := fmt.Sprintf("m%04d", i)
		want = append(want, body)
		r.do("hset", a.c.names.standing(), body, body)
	}
	newServant(t, patientOptions(r.Addr), 0).awaitReady(t).awaitExecuted(t, append(want, "new", "hour", "last")...)
}

func TestStandingOrdersAreBounded(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	n := names{"rt:"}
	a := newServant(t, patientOptions(r.Addr), 0).awaitReady(t)
	r.do("eval", `for i = 1, tonumber(ARGV[1]) do
		redis.call('HSET', KEYS[1], 'n' .. i, 'x')
		redis.call('ZADD', KEYS[2], 1e13 + i, 'n' .. i)
	end`, 2, n.standing(), n.lasting(), maxStanding)
	a.give(t, hub.Order{Body: []byte("y"), Name: "y"}, hub.Answers{})
	if r.do("hlen", n.standing()) != int64(maxStanding) || r.do("zcard", n.lasting()) != int64(maxStanding) {
		t.Errorf("%v standing orders, want %d", r.do("hlen", n.standing()), maxStanding)
	}
	if r.do("hget", n.standing(), "n1") != nil || r.do("hget", n.standing(), "y") != "y" {
		t.Error("not the one that ends first was forgotten")
	}
}

// A node that was cut off executes the orders that it missed, and knows how old they are. The
// nodes that sent them do not count it.
func TestDrillOrdersForNodeAway(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	p := faultproxy.Start(t, r.Addr)
	a, b := newServant(t, quickOptions(r.Addr), 0).awaitReady(t), newServant(t, quickOptions(p.Addr()), 5).awaitReady(t)
	a.give(t, hub.Order{Body: []byte("before")}, hub.Answers{Nodes: 1, Ended: 5})
	p.Away()
	if _, err := b.Order(t.Context(), hub.Order{Body: []byte("lost")}); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("without Redis: %v", err)
	}
	eventually(t, "Redis misses the node", func() bool {
		got, err := a.Order(t.Context(), hub.Order{Body: []byte("away")})
		return err == nil && got == hub.Answers{}
	})
	const cut = 300 * time.Millisecond
	time.Sleep(cut)
	p.Heal()
	b.awaitExecuted(t, "before", "away")
	b.mu.Lock() // an order that was sent twice may be executed again
	last := b.ago[len(b.ago)-1]
	b.mu.Unlock()
	if last < cut {
		t.Errorf("the order is said to be %v old, and the node was away for %v after it", last, cut)
	}
	eventually(t, "the node answers again", func() bool {
		got, err := a.Order(t.Context(), hub.Order{Body: []byte("after")})
		return err == nil && got == hub.Answers{Nodes: 1, Ended: 5}
	})
}

// The subscription of a node hangs. The node executes orders all the same, and the sender
// awaitCount it as one that must answer.
func TestDrillOrdersOverSilentLink(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	p := faultproxy.Start(t, r.Addr)
	o := quickOptions(p.Addr())
	o.Probe = time.Minute // the node does not notice
	a, b := newServant(t, quickOptions(r.Addr), 0).awaitReady(t), newServant(t, o, 0).awaitReady(t)
	p.StallSubscribers()
	got, err := a.Order(t.Context(), hub.Order{Body: []byte("hidden")})
	if err != nil || got.Nodes+got.Pending != 1 {
		t.Errorf("answered with %+v, %v", got, err)
	}
	b.awaitExecuted(t, "hidden")
}

// Redis comes back empty. Orders work again, also when its clock is behind.
func TestDrillOrdersAfterRestart(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b := newServant(t, quickOptions(r.Addr), 0).awaitReady(t), newServant(t, quickOptions(r.Addr), 1).awaitReady(t)
	a.give(t, hub.Order{Body: []byte("before"), Name: "before"}, hub.Answers{Nodes: 1, Ended: 1})
	r.Kill()
	if _, err := a.Order(t.Context(), hub.Order{Body: []byte("lost")}); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("without Redis: %v", err)
	}
	r.Restart()
	// This looks like an order that was sent before the last one that b knows.
	n := a.c.names
	r.do("hset", n.standing(), "x", "standing") // before the order, because standing orders are read after it
	r.do("xadd", n.orders(), "1-1", "n", "other", "q", "1", "o", "behind")
	b.awaitExecuted(t, "before", "behind", "standing")
	eventually(t, "a new order is answered", func() bool {
		got, err := a.Order(t.Context(), hub.Order{Body: []byte("after")})
		return err == nil && got == hub.Answers{Nodes: 1, Ended: 1}
	})
	b.awaitExecuted(t, "before", "behind", "standing", "after")
	if b.informed != 1 {
		t.Errorf("informed %d times", b.informed)
	}
}

// An order can end standing orders: nodes that start later do not execute those.
func TestOrderEndsStandingOrders(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a := newServant(t, patientOptions(r.Addr), 1).awaitReady(t)
	for _, name := range []string{"one", "two", "three"} {
		a.give(t, hub.Order{Body: []byte(name), Name: name}, hub.Answers{})
	}
	a.give(t, hub.Order{Body: []byte("end"), Ends: []string{"one", "three", "none"}}, hub.Answers{})
	newServant(t, patientOptions(r.Addr), 1).awaitReady(t).awaitExecuted(t, "two")
	a.give(t, hub.Order{Body: []byte("four"), Name: "four", Ends: []string{"two"}}, hub.Answers{Nodes: 1, Ended: 1})
	newServant(t, patientOptions(r.Addr), 1).awaitReady(t).awaitExecuted(t, "four")
}
