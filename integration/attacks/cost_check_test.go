package attacks

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// A row fails for each bound that it passes, and for no other reason.
func TestBounds(t *testing.T) {
	t.Parallel()
	many := func(d time.Duration) (list delays) {
		for range fewPings {
			list = append(list, d)
		}
		return list
	}
	limit := bounds{peak: 10 << 20, kept: 5 << 20, cpu: time.Second, p50: 10 * time.Millisecond, p99: 100 * time.Millisecond}
	for _, c := range []struct {
		name string
		cost cost
		want string // part of what is said; empty for nothing
	}{
		{"nothing is known", cost{}, ""},
		{"all at the bound", cost{peak: 10 << 20, kept: 5 << 20, cpu: time.Second, delays: many(10 * time.Millisecond)}, ""},
		{"peak", cost{peak: 10<<20 + 1}, "memory rose"},
		{"kept", cost{kept: 5<<20 + 1}, "memory stays"},
		{"processor", cost{cpu: time.Second + 1}, "1.000000001s of the processors"},
		{"p50", cost{delays: many(11 * time.Millisecond)}, "p50 is 11ms"},
		{"p50 of few", cost{delays: many(11 * time.Millisecond)[1:]}, ""},
		{"p99 of few", cost{delays: delays{101 * time.Millisecond}}, "p99 is 101ms"},
		{"on a machine that is as slow", cost{delays: many(200 * time.Millisecond), control: many(67 * time.Millisecond)}, ""},
		{"on a machine that is not so slow", cost{delays: many(200 * time.Millisecond), control: many(66 * time.Millisecond)}, "p99 is 200ms, the bound is 198ms"},
		{"a dead server", cost{fault: "the server is dead"}, "the server is dead"},
	} {
		if got := c.cost.beyond(limit); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What happens to the server and its memory is seen, and ends no row behind it.
func TestGauge(t *testing.T) {
	p := integration.StartProcess(t, "{\n\tadmin {{admin}}\n}\n"+spared)
	admin := target(p.Addr("admin"))
	g := newGauge(t, p, target(p.Addr("site")), admin)
	if g.floor == 0 {
		t.Skip("there is no /proc")
	}
	row := func(try func()) cost {
		g.begin()
		try()
		return g.end()
	}
	if c := row(func() {}); !c.known || c.fault != "" || len(c.delays) == 0 || len(c.control) == 0 {
		t.Errorf("a row that does nothing: %+v", c)
	}
	work := row(func() {
		for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
			admin.heap(t, "HeapAlloc") // a collection
		}
	})
	if work.cpu < 20*time.Millisecond || work.fault != "" {
		t.Errorf("a row that makes the server work: %+v", work)
	}
	stopped := row(func() {
		p.Pause()
		time.Sleep(300 * time.Millisecond)
		p.Resume()
	})
	if got := stopped.delays.percentile(99); got < 200*time.Millisecond {
		t.Errorf("the server stood still for 300ms, and p99 is %v", got)
	}
	if c := row(p.Kill); c.fault != "the server is dead" {
		t.Errorf("a row that kills the server: %+v", c)
	}
	if c := row(func() {}); !c.known || c.fault != "" {
		t.Errorf("the row after that: %+v", c)
	}
}
