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

// servant is an executor that notes what it is told.
type servant struct {
	*Control
	mu       sync.Mutex
	orders   []string
	ago      []time.Duration
	informed int
	ends     int  // connections for each order
	plain    bool // it does not understand what is strange
}

func newServant(t *testing.T, o Options, ends int) *servant {
	s := &servant{ends: ends}
	s.Control = open(t, o).Control(s)
	t.Cleanup(s.Close)
	return s
}

func (s *servant) Execute(body []byte, ago time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders, s.ago = append(s.orders, string(body)), append(s.ago, ago)
	if strings.HasPrefix(string(body), "strange") && s.plain {
		return 0, errors.New("not understood")
	}
	return s.ends, nil
}

func (s *servant) Informed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.informed++
}

// has waits until exactly these orders were executed, in any order; one that was
// given twice may be executed twice.
func (s *servant) has(t *testing.T, want ...string) {
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

// ready waits until a node takes part.
func (s *servant) ready(t *testing.T) *servant {
	t.Helper()
	eventually(t, "the node is informed and subscribed", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		l, n := s.c.link, s.c.names
		return s.informed == 1 && l.isLive(n.ordered()) && l.isLive(n.answers(s.c.node))
	})
	return s
}

func (s *servant) give(t *testing.T, o hub.Order, want hub.Answers) {
	t.Helper()
	if got, err := s.Order(t.Context(), o); err != nil || got != want {
		t.Errorf("%.50q is answered with %+v, %v; want %+v", o.Body, got, err, want)
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b, c := newServant(t, patient(r.Addr), 1).ready(t), newServant(t, patient(r.Addr), 20).ready(t), newServant(t, patient(r.Addr), 300).ready(t)
	odd := "\x00 \r\n {}:" + string(bytes.Repeat([]byte{0xff}, hub.MaxOrder-20))
	a.give(t, hub.Order{Body: []byte(odd)}, hub.Answers{Nodes: 2, Ended: 320})
	b.give(t, hub.Order{Body: []byte("two")}, hub.Answers{Nodes: 2, Ended: 301})
	a.has(t, "two")
	b.has(t, odd)
	c.has(t, odd, "two")
	if _, err := a.Order(t.Context(), hub.Order{Body: make([]byte, hub.MaxOrder+1)}); err == nil {
		t.Error("an order of any size is taken")
	}
	// Another hub on the same Redis hears nothing.
	o := patient(r.Addr)
	o.Prefix = "other:"
	other := newServant(t, o, 7).ready(t)
	a.give(t, hub.Order{Body: []byte("three")}, hub.Answers{Nodes: 2, Ended: 320})
	other.give(t, hub.Order{Body: []byte("four")}, hub.Answers{})
	other.has(t)
	for i, ago := range c.ago {
		if ago < 0 || ago > 20*time.Second {
			t.Errorf("order %d is %v old", i, ago)
		}
	}
	if n := r.do("pttl", a.c.names.orders()); n.(int64) <= 0 {
		t.Errorf("the orders stay for ever: %v", n)
	}
}

// A node that does not understand an order is not one of those that have done it, and
// nobody waits for it.
func TestOrderNotUnderstood(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b, c := newServant(t, patient(r.Addr), 1).ready(t), newServant(t, patient(r.Addr), 20).ready(t), newServant(t, patient(r.Addr), 300).ready(t)
	c.mu.Lock()
	c.plain = true
	c.mu.Unlock()
	began := time.Now()
	a.give(t, hub.Order{Body: []byte("strange")}, hub.Answers{Nodes: 1, Ended: 20, Pending: 1})
	if took := time.Since(began); took >= a.answerTime() {
		t.Errorf("the node was waited for: %v", took)
	}
	b.has(t, "strange")
	// An empty order takes the place of no standing one.
	a.give(t, hub.Order{Body: []byte("x"), Name: "x"}, hub.Answers{Nodes: 2, Ended: 320})
	if _, err := a.Order(t.Context(), hub.Order{Name: "x"}); err == nil {
		t.Error("an empty order is given")
	}
	if got := r.do("hget", a.c.names.standing(), "x"); got != "x" {
		t.Errorf("the standing order is %v", got)
	}
}

// Many orders at once reach everybody, and each is answered.
func TestOrdersTogether(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b := newServant(t, patient(r.Addr), 1).ready(t), newServant(t, patient(r.Addr), 1).ready(t)
	const many = 3 * orderPageSize
	var wg sync.WaitGroup
	var want []string
	for i := range many {
		body := fmt.Sprintf("%04d", i)
		want = append(want, body)
		wg.Go(func() {
			// Under a load like this some answer may come late, and none may be made up.
			if got, err := a.Order(t.Context(), hub.Order{Body: []byte(body)}); err != nil || got.Nodes+got.Pending != 1 || got.Ended != got.Nodes {
				t.Errorf("%s is answered with %+v, %v", body, got, err)
			}
		})
	}
	wg.Wait()
	b.has(t, want...)
	if len(b.orders) != many {
		t.Errorf("%d orders were executed, want %d", len(b.orders), many)
	}
}

// What a node does that starts later: standing orders that have not ended, and no
// others.
func TestStandingOrders(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a := newServant(t, patient(r.Addr), 0).ready(t)
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
	a.give(t, hub.Order{Body: []byte("last"), Name: "l", Lasts: time.Hour}, hub.Answers{}) // and "short" is swept
	newServant(t, patient(r.Addr), 0).ready(t).has(t, "new", "hour", "last")

	var want []string
	for i := range 1200 { // more than are read at once
		body := fmt.Sprintf("m%04d", i)
		want = append(want, body)
		r.do("hset", a.c.names.standing(), body, body)
	}
	newServant(t, patient(r.Addr), 0).ready(t).has(t, append(want, "new", "hour", "last")...)
}

func TestStandingOrdersAreBounded(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	n := names{"rt:"}
	a := newServant(t, patient(r.Addr), 0).ready(t)
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

// A node that is cut off executes what it missed when it is back, and knows how old
// that is. Whoever gives orders meanwhile is not told that it has.
func TestDrillOrdersForNodeAway(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	p := faultproxy.Start(t, r.Addr)
	a, b := newServant(t, quickly(r.Addr), 0).ready(t), newServant(t, quickly(p.Addr()), 5).ready(t)
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
	b.has(t, "before", "away")
	if last := b.ago[len(b.ago)-1]; last < cut {
		t.Errorf("the order is said to be %v old, and the node was away for %v after it", last, cut)
	}
	eventually(t, "the node answers again", func() bool {
		got, err := a.Order(t.Context(), hub.Order{Body: []byte("after")})
		return err == nil && got == hub.Answers{Nodes: 1, Ended: 5}
	})
}

// The subscription of a node hangs: it executes orders all the same, and whoever
// gives them knows that it was told.
func TestDrillOrdersOverSilentLink(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	p := faultproxy.Start(t, r.Addr)
	o := quickly(p.Addr())
	o.Probe = time.Minute // it is not noticed
	a, b := newServant(t, quickly(r.Addr), 0).ready(t), newServant(t, o, 0).ready(t)
	p.StallSubscribers()
	got, err := a.Order(t.Context(), hub.Order{Body: []byte("hidden")})
	if err != nil || got.Nodes+got.Pending != 1 {
		t.Errorf("answered with %+v, %v", got, err)
	}
	b.has(t, "hidden")
}

// Redis comes back empty: orders go on, also when its clock is behind.
func TestDrillOrdersAfterRestart(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b := newServant(t, quickly(r.Addr), 0).ready(t), newServant(t, quickly(r.Addr), 1).ready(t)
	a.give(t, hub.Order{Body: []byte("before"), Name: "before"}, hub.Answers{Nodes: 1, Ended: 1})
	r.Kill()
	if _, err := a.Order(t.Context(), hub.Order{Body: []byte("lost")}); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("without Redis: %v", err)
	}
	r.Restart()
	// As if it had been given before the last one that b knows.
	n := a.c.names
	r.do("hset", n.standing(), "x", "standing") // before the order, after which it is read
	r.do("xadd", n.orders(), "1-1", "n", "other", "q", "1", "o", "behind")
	b.has(t, "before", "behind", "standing")
	eventually(t, "a new order is answered", func() bool {
		got, err := a.Order(t.Context(), hub.Order{Body: []byte("after")})
		return err == nil && got == hub.Answers{Nodes: 1, Ended: 1}
	})
	b.has(t, "before", "behind", "standing", "after")
	if b.informed != 1 {
		t.Errorf("informed %d times", b.informed)
	}
}
