package node

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// leaver is a client that notes when it should come back.
type leaver struct{ returns func(time.Time) }

func (leaver) Write([]byte) error { return nil }
func (leaver) Close()             {}

func (l leaver) AppendEvent(dst []byte, ev hub.Event) []byte {
	if r, ok := ev.(hub.Reconnect); ok && l.returns != nil {
		l.returns(time.Now().Add(r.After))
	}
	return append(dst, 'x')
}
func (leaver) AppendPing(dst []byte) []byte                { return dst }
func (leaver) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

// drainable runs a test with a node that has n clients. returns has when they come back.
func drainable(t *testing.T, n int, test func(t *testing.T, node *Node, returns *[]time.Time)) {
	t.Helper()
	log := new(panictest.Log)
	synctest.Test(t, func(t *testing.T) {
		node, _ := newTestNode(t, true, log,
			func(b *memory.Broker) hub.Broker { return b },
			func(m *memory.PresenceStore) presence.Store { return m },
		)
		node.now = &Use{Settings: new(Settings)}
		node.registry.Store(session.New(node.hub))
		returns := new([]time.Time)
		for range n {
			l := &leaver{func(at time.Time) { *returns = append(*returns, at) }}
			if _, err := node.hub.Connect(hub.ConnOptions{Transport: l, Encoder: l}); err != nil {
				t.Fatal(err)
			}
		}
		test(t, node, returns)
		if err := node.Destruct(); err != nil {
			t.Error(err)
		}
	})
}

// Clients come back evenly: never faster than one and a half times the rate that was asked for.
func TestCommandedDrainSpreadsReturns(t *testing.T) {
	const n, window = 5000, 20 * time.Second
	drainable(t, n, func(t *testing.T, node *Node, returns *[]time.Time) {
		start := time.Now()
		if err := node.StartDrain(window); err != nil {
			t.Fatal(err)
		}
		if node.Ready() || !node.Leaving() {
			t.Error("a node that drains takes clients")
		}
		if err := node.StartDrain(window); !errors.Is(err, ErrDraining) {
			t.Errorf("a second drain: %v", err)
		}
		time.Sleep(window/leadShare - time.Millisecond)
		if left := node.hub.Conns(); left != n {
			t.Errorf("%d of %d connections are left before the load balancer can notice", left, n)
		}
		time.Sleep(window / 2)
		if p := node.DrainProgress(); p.State != session.DrainRunning || p.Total != n || p.Closed < n/4 || p.Closed > 3*n/4 || p.Left > n-p.Closed+n/100 {
			t.Errorf("half way: %+v", p)
		}
		time.Sleep(window / 2)
		if p := node.DrainProgress(); p.State != session.DrainDone || p.Closed != n || p.Left != 0 {
			t.Errorf("at the end: %+v", p)
		}
		slices.SortFunc(*returns, time.Time.Compare)
		all := *returns
		if last := all[len(all)-1].Sub(start); len(all) != n || last > window {
			t.Errorf("%d clients come back, the last one after %v", len(all), last)
		}
		for i := range all {
			j, _ := slices.BinarySearchFunc(all, all[i].Add(time.Second), time.Time.Compare)
			if rate := float64(j - i); rate > 1.5*n/window.Seconds() {
				t.Fatalf("%v clients come back within a second", rate)
			}
		}
	})
}

func TestCommandedDrainCanBeCancelled(t *testing.T) {
	drainable(t, 100, func(t *testing.T, node *Node, _ *[]time.Time) {
		if node.CancelDrain() {
			t.Error("nothing was cancelled")
		}
		if err := node.StartDrain(25 * time.Hour); err == nil {
			t.Error("a drain of 25 hours starts")
		}
		if err := node.StartDrain(0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(DefaultDrainWindow / 2)
		if !node.CancelDrain() || node.CancelDrain() {
			t.Error("the drain was not cancelled once")
		}
		synctest.Wait()
		left := node.hub.Conns()
		time.Sleep(DefaultDrainWindow)
		if p := node.DrainProgress(); left == 0 || p.Left != left || p.State != session.DrainCancelled {
			t.Errorf("%d were left, then %+v", left, p)
		}
		if _, err := node.hub.Connect(hub.ConnOptions{Transport: leaver{}, Encoder: leaver{}}); err != nil || node.Leaving() {
			t.Errorf("the node takes nobody: %v", err)
		}
		// Also one that is over.
		if err := node.StartDrain(time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if p := node.DrainProgress(); p.State != session.DrainDone || !node.CancelDrain() || node.Leaving() {
			t.Errorf("%+v", p)
		}
	})
}

// The exit of the process does not wait for a drain that was commanded.
func TestExitDuringCommandedDrain(t *testing.T) {
	drainable(t, 1000, func(t *testing.T, node *Node, _ *[]time.Time) {
		if err := node.StartDrain(time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		start := time.Now()
		node.Drain()
		synctest.Wait()
		if took := time.Since(start); took > DefaultExitDrain || node.hub.Conns() != 0 {
			t.Errorf("the drain at exit took %v and left %d", took, node.hub.Conns())
		}
		if err := node.StartDrain(0); !errors.Is(err, ErrNotDrained) {
			t.Errorf("a drain during the exit: %v", err)
		}
	})
}

// If a drain panics, it counts as cancelled, and another one can start.
func TestPanicInACommandedDrain(t *testing.T) {
	log := new(panictest.Log)
	synctest.Test(t, func(t *testing.T) {
		node := New(func() bool { return true })
		d := &commandedDrain{state: session.DrainRunning}
		node.runDrain(t.Context(), d, nil, log.Logger()) // without a hub
		log.Once(t, "a commanded drain", "runtime error: invalid memory address or nil pointer dereference")
		if d.state != session.DrainCancelled {
			t.Errorf("the drain is %s", d.state)
		}
	})
}
