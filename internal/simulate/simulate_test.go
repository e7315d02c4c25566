package simulate

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seedFlag      = flag.Uint64("seed", 0, "run the history of one seed, and make it shorter if it fails")
	againFlag     = flag.Int("again", 1, "how often -seed runs its history")
	historiesFlag = flag.Int("histories", 500, "how many histories TestSimulation runs")
	firstFlag     = flag.Uint64("first", 1, "the first seed of TestSimulation")
)

// maxShrinks bounds how many runs the search for a short history takes.
const maxShrinks = 400

// TestSimulation runs random histories and checks that every promise holds.
func TestSimulation(t *testing.T) {
	if *seedFlag > 0 {
		for range *againFlag {
			check(t, *seedFlag)
		}
		return
	}
	began := time.Now()
	var done, failed atomic.Int64
	var sums totals
	next := make(chan uint64, *historiesFlag)
	for i := range *historiesFlag {
		next <- *firstFlag + uint64(i)
	}
	close(next)
	t.Run("histories", func(t *testing.T) {
		for worker := range 4 {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for seed := range next {
					if failed.Load() >= 3 {
						return
					}
					if r := check(t, seed); r.ok() {
						sums.add(r)
					} else {
						failed.Add(1)
					}
					if n := done.Add(1); n%500 == 0 {
						t.Logf("%d of %d histories after %v", n, *historiesFlag, time.Since(began).Round(time.Second))
					}
				}
			})
		}
	})
	t.Logf("%d histories in %v, no promise broken in %d\n%v", done.Load(), time.Since(began).Round(100*time.Millisecond), done.Load()-failed.Load(), &sums)
}

// check runs a history, and reports a short one that fails if it fails.
func check(t *testing.T, seed uint64) *result {
	t.Helper()
	h := draw(seed)
	r := play(t, h, none)
	if r.ok() {
		return r
	}
	short, worst := h, r
	runs := 0
	short.Actions = shrink(h.Actions, func(rest []action) bool {
		if runs++; runs > maxShrinks {
			return false
		}
		try := h
		try.Actions = rest
		if r := play(t, try, none); !r.ok() {
			worst = r
			return true
		}
		return false
	})
	t.Errorf("a promise is broken: go test ./internal/simulate -run TestSimulation -seed %d\nin the whole history:\n  %s\nin the shortest one:\n  %s\n%s",
		seed, strings.Join(r.faults, "\n  "), strings.Join(worst.faults, "\n  "), short.describe())
	return r
}

// totals are the sums over histories.
type totals struct {
	mu sync.Mutex
	// Guarded by mu.
	sent, acked, delivered, subscriptions, recovered, disconnects int
	gaps, losses, slow, repeats, accepted, rejected, crashes      int
}

func (s *totals) add(r *result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := r.report
	s.sent, s.acked, s.delivered = s.sent+p.Sent, s.acked+p.Acked, s.delivered+p.Delivered
	s.subscriptions, s.recovered, s.disconnects = s.subscriptions+p.Subscriptions, s.recovered+p.Recovered, s.disconnects+p.Disconnects
	s.gaps, s.losses, s.slow, s.repeats = s.gaps+p.Gaps, s.losses+r.losses, s.slow+r.slow, s.repeats+r.repeats
	s.accepted, s.rejected, s.crashes = s.accepted+r.accepted, s.rejected+r.rejected, s.crashes+r.crashes
}

// String returns some lines for people.
func (s *totals) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf(`%d messages sent, %d acknowledged, %d deliveries, %d repeats noticed
%d disconnects, %d of slow readers, %d crashes and restarts
%d subscriptions, %d recovered, %d told that they lost messages, %d of them by a gap
%d changes of documents accepted, %d rejected`,
		s.sent, s.acked, s.delivered, s.repeats, s.disconnects, s.slow, s.crashes,
		s.subscriptions, s.recovered, s.losses, s.gaps, s.accepted, s.rejected)
}

// within is after how many histories each mutation must be found.
const within = 60

// TestMutations breaks one promise after the other, and checks that the judges notice it.
func TestMutations(t *testing.T) {
	if *seedFlag > 0 {
		t.Skip("-seed is for TestSimulation")
	}
	for m := none + 1; m < mutations; m++ {
		t.Run(mutationNames[m], func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= within; seed++ {
				if r := play(t, draw(seed), m); !r.ok() {
					t.Logf("found by history %d: %s", seed, r.faults[0])
					return
				}
			}
			t.Errorf("%d histories did not find it", within)
		})
	}
}

// TestShrink checks that what a failure needs is left, and nothing else.
func TestShrink(t *testing.T) {
	t.Parallel()
	var all []action
	for i := range 60 {
		all = append(all, action{N: i, After: time.Second})
	}
	got := shrink(all, func(rest []action) bool {
		var needed int
		var at time.Duration
		for _, a := range rest {
			at += a.After
			if a.N == 7 || a.N == 31 && at == 32*time.Second {
				needed++
			}
		}
		return needed == 2
	})
	if len(got) != 2 || got[0].N != 7 || got[1].N != 31 || got[0].After+got[1].After != 32*time.Second {
		t.Errorf("got %v", got)
	}
}

// TestDraw checks that a seed always makes the same history.
func TestDraw(t *testing.T) {
	t.Parallel()
	if a, b := draw(5).describe(), draw(5).describe(); a != b || a == draw(6).describe() {
		t.Errorf("got\n%s\n%s", a, b)
	}
}
