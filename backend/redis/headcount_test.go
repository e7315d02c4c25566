package redis

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// awaitCount waits until a node learns that the others have this many connections of a user.
func (s *executorStub) awaitCount(t *testing.T, user string, want int) {
	t.Helper()
	var got int
	var err error
	for over := time.Now().Add(patience); ; {
		if got, err = s.Elsewhere(t.Context(), user); err == nil && got == want {
			return
		}
		if time.Now().After(over) {
			t.Fatalf("%q has %d connections elsewhere (%v), want %d", user, got, err, want)
		}
		_ = pause(t.Context(), 5*time.Millisecond)
	}
}

func TestHeadcount(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b, c := newServant(t, patientOptions(r.Addr), 0), newServant(t, patientOptions(r.Addr), 0), newServant(t, patientOptions(r.Addr), 0)
	const odd = "a b{}:\x00\xff"
	a.Here("early", 9) // nothing is counted yet
	a.Count(map[string]int{"ann": 2})
	b.Count(map[string]int{odd: 1})
	a.Here("ann", 3)
	b.Here("ann", 1)
	c.awaitCount(t, "ann", 4)
	a.awaitCount(t, "ann", 1)
	b.awaitCount(t, "ann", 3)
	c.awaitCount(t, odd, 1)
	c.awaitCount(t, "early", 0)
	c.awaitCount(t, "nobody", 0)
	a.Here("ann", 0)
	c.awaitCount(t, "ann", 1)
	// These are more users than one report has.
	all := make(map[string]int)
	for i := range 3*maxReported + 7 {
		all[fmt.Sprint("user", i)] = i + 1
	}
	a.Count(all)
	for i := range 3*maxReported + 7 {
		b.awaitCount(t, fmt.Sprint("user", i), i+1)
	}
	// Nobody waits for a node that has closed.
	a.Close()
	b.awaitCount(t, "user5", 0)
	if n := r.do("pttl", b.c.names.users(b.c.node)); n.(int64) <= 0 {
		t.Errorf("what a node counts stays for ever: %v", n)
	}
}

// The counts of a node end with its lease and come back with the node. A Redis that comes back
// empty does no harm.
func TestDrillHeadcountLease(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	p := faultproxy.Start(t, r.Addr)
	leased := func(addr string) Options {
		o := quickOptions(addr)
		o.Lease = 600 * time.Millisecond
		return o
	}
	a, b := newServant(t, leased(p.Addr()), 0), newServant(t, leased(r.Addr), 0)
	a.Count(map[string]int{"ann": 2, "bob": 1})
	b.awaitCount(t, "ann", 2)
	time.Sleep(2 * a.c.o.Lease) // the node renews it meanwhile
	b.awaitCount(t, "ann", 2)
	p.Away()
	b.awaitCount(t, "ann", 0)
	if _, err := a.Elsewhere(t.Context(), "ann"); err == nil {
		t.Error("a node that is cut off knows of the others")
	}
	a.Here("bob", 5)
	p.Heal()
	b.awaitCount(t, "ann", 2)
	b.awaitCount(t, "bob", 5)
	r.Kill()
	a.Here("bob", 6)
	r.Restart()
	b.awaitCount(t, "ann", 2)
	b.awaitCount(t, "bob", 6)
	a.Count(nil)
	a.Here("ann", 7)
	b.awaitCount(t, "ann", 0)
}
