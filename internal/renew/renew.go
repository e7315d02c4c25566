// Package renew checks for changes of something, such as a file, when it is used.
package renew

import (
	"sync"
	"time"
)

const (
	// interval is the time between two looks.
	interval = time.Second
	// pause is the time after a look that failed.
	pause = 10 * time.Second
)

// Gate limits how often its user checks. The zero value is ready for use. Several
// goroutines may use it at once.
type Gate struct {
	mu   sync.Mutex
	next time.Time // guarded by mu
	busy bool      // guarded by mu: a look is under way
}

// Look calls f, unless the last check was less than a second ago, or less than ten seconds
// if it failed. Only one caller checks at a time. The others go on without waiting, because
// f may wait for a disk.
func (g *Gate) Look(f func() error) {
	if !g.enter() {
		return
	}
	wait := pause
	defer func() { g.leave(wait) }()
	if f() == nil {
		wait = interval
	}
}

func (g *Gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy || time.Now().Before(g.next) {
		return false
	}
	g.busy = true
	return true
}

func (g *Gate) leave(wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy, g.next = false, time.Now().Add(wait)
}
