// Package trim returns memory to the system after many connections came at once.
//
// A handshake leaves 18 KB of garbage, nearly all of it of net/http and crypto/tls. The collector
// lets the heap grow to twice of what lives before it runs, and the runtime keeps what was
// freed for the next growth. So after a storm of reconnects a server of silent connections keeps
// nearly twice the memory that it needs, until the runtime collects by itself after two minutes
// and longer. A lower GOGC was rejected: it belongs to the operator, and costs time always.
package trim

import (
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// storm is how many new connections are worth a collection.
	storm = 1000
	// calm is how long hardly any new connection must come before memory is returned, so
	// that the collection does not compete with handshakes.
	calm = 2 * time.Second
	// hardly is the part of a storm, one in so many, that may still come while it is calm.
	hardly = 100
	// pause is the least time between two collections. A collection walks the whole heap, which
	// also has the memory of others.
	pause = time.Minute
)

// Trimmer returns memory after storms. The zero value is ready for use. It has one timer while it
// waits for a storm to end, and no goroutine.
type Trimmer struct {
	opened  atomic.Int64 // since memory was last returned
	waiting atomic.Bool  // a timer will call check; whoever sets it owns the fields below

	seen int64     // what opened was when check last ran
	last time.Time // when memory was last returned

	free func() // for tests; nil: debug.FreeOSMemory
}

// Opened counts a new connection.
func (t *Trimmer) Opened() {
	if t.opened.Add(1) >= storm && !t.waiting.Load() && t.waiting.CompareAndSwap(false, true) {
		t.seen = t.opened.Load()
		t.wait(max(calm, time.Until(t.last.Add(pause))))
	}
}

func (t *Trimmer) wait(d time.Duration) { time.AfterFunc(d, t.check) }

// check returns memory if the storm is over, and otherwise looks again later.
func (t *Trimmer) check() {
	defer guard.Recover(nil, "the return of memory")
	opened := t.opened.Load()
	if (opened-t.seen)*hardly > opened {
		t.seen = opened
		t.wait(calm)
		return
	}
	defer t.waiting.Store(false)
	t.opened.Add(-opened)
	t.last = time.Now()
	if t.free != nil {
		t.free()
		return
	}
	debug.FreeOSMemory()
}
