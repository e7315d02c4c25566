package realtime

import (
	"context"
	"sync"
	"time"
)

// fate is what becomes of the settings that a configuration has for a hub: they come into
// force, or the configuration is given up before that.
type fate struct {
	decided chan struct{} // closed then
	once    sync.Once     // closes decided
	good    bool          // written before decided is closed
}

func newFate() *fate { return &fate{decided: make(chan struct{})} }

// decide is called when it is known. Only the first call counts.
func (f *fate) decide(good bool) {
	f.once.Do(func() {
		f.good = good
		close(f.decided)
	})
}

// maxWait bounds how long a request waits for the configuration by which it came: some
// other app may take long to start, and may send a request here itself.
const maxWait = 5 * time.Second

// wait waits until it is decided, and reports whether the settings have come into force.
func (f *fate) wait(ctx context.Context) bool {
	select {
	case <-f.decided:
		return f.good
	default:
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-f.decided:
		return f.good
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
