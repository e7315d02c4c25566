package node

import (
	"context"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
)

// Use is what one configuration says about a node, and what becomes of that: it comes into
// force, or the configuration is given up before.
type Use struct {
	// Set before [Node.Apply], static afterwards.
	Settings  *Settings
	Verifiers map[string]*auth.Verifier // by realm

	decided chan struct{} // closed when it is known what becomes of the use
	once    sync.Once     // closes decided
	inForce bool          // written before decided is closed
}

// NewUse returns a use without settings.
func NewUse() *Use { return &Use{decided: make(chan struct{})} }

// decide is called when it is known what becomes of the use. Only the first call
// counts.
func (u *Use) decide(inForce bool) {
	u.once.Do(func() {
		u.inForce = inForce
		close(u.decided)
	})
}

// maxWait bounds how long a request waits for its configuration. Another app may take long
// to start, and may send a request here itself.
const maxWait = 5 * time.Second

// Wait waits until it is known what becomes of the use, and reports whether it has come
// into force.
func (u *Use) Wait(ctx context.Context) bool {
	select {
	case <-u.decided:
		return u.inForce
	default:
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-u.decided:
		return u.inForce
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
