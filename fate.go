package realtime

import (
	"context"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
)

// use is what one configuration says about a node, and what becomes of that: it comes
// into force, or the configuration is given up before.
type use struct {
	// Set before [node.apply], static afterwards.
	settings  *config.Settings
	verifiers map[string]*auth.Verifier // by realm

	decided chan struct{} // closed when it is known what becomes of the settings
	once    sync.Once     // closes decided
	good    bool          // written before decided is closed
}

func newUse() *use { return &use{decided: make(chan struct{})} }

// decide is called when it is known what becomes of the settings. Only the first call
// counts.
func (u *use) decide(good bool) {
	u.once.Do(func() {
		u.good = good
		close(u.decided)
	})
}

// maxWait bounds how long a request waits for the configuration by which it came: some
// other app may take long to start, and may send a request here itself.
const maxWait = 5 * time.Second

// wait waits until it is decided, and reports whether the settings have come into force.
func (u *use) wait(ctx context.Context) bool {
	select {
	case <-u.decided:
		return u.good
	default:
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-u.decided:
		return u.good
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
