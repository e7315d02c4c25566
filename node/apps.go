package node

import (
	"sync"

	"github.com/caddy-realtime/caddy-realtime/internal/tally"
)

// apps count the requests to the app, by the option that says how it is asked.
type apps struct {
	mu  sync.Mutex
	all map[string]*tally.Calls
}

func (a *apps) of(option string) *tally.Calls {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.all[option]
	if c == nil {
		if a.all == nil {
			a.all = make(map[string]*tally.Calls)
		}
		c = tally.NewCalls()
		a.all[option] = c
	}
	return c
}

func (a *apps) counts() map[string]tally.CallCounts {
	a.mu.Lock()
	defer a.mu.Unlock()
	counts := make(map[string]tally.CallCounts, len(a.all))
	for option, c := range a.all {
		counts[option] = c.Counts()
	}
	return counts
}
