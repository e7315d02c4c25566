package poller

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// share is how many connections that can be read one worker takes before it gets help.
	share = 16
	// patience is how often the crew looks for workers whose handler does not return.
	patience = 20 * time.Millisecond
)

// crew are the goroutines that wait for events and call handlers. Each one is a worker. One of
// them waits for events. The crew has at most as many workers as there are processors.
//
// A handler that waits must not keep other connections waiting. So a worker that calls such a
// handler leaves the crew, and another one takes its place: at once if the handler calls
// [Conn.Yield], and otherwise when the handler has not returned after twice patience.
type crew struct {
	watchdog *time.Timer // static; calls check
	armed    atomic.Bool // the watchdog rings

	// Guarded by mu.
	mu      sync.Mutex
	ready   []*watch // whose handlers are to be called
	workers []*worker
	polling bool // a worker waits for events, or hands them out
}

// worker is a member of the crew.
type worker struct {
	state atomic.Int32  // resting, calling or relieved
	calls atomic.Uint32 // how many handlers it has called
	seen  uint32        // calls when the watchdog last looked; guarded by crew.mu
}

// States of a worker.
const (
	resting  = iota // no handler is running
	calling         // a handler is running
	relieved        // it has left the crew; its goroutine ends after the handler
)

// hire starts workers.
func (p *poller) hire(n int) {
	for range n {
		k := new(worker)
		p.crew.mu.Lock()
		p.crew.workers = append(p.crew.workers, k)
		p.crew.mu.Unlock()
		go p.work(k)
	}
}

// work is the goroutine of a worker.
func (p *poller) work(k *worker) {
	guard.Loop(nil, nil, "the poller", func() {
		for w := p.next(k); w != nil && p.serve(k, w); {
			w = p.next(k)
		}
	})
}

// serve calls the handler of a connection. It returns false if the worker was relieved meanwhile.
func (p *poller) serve(k *worker, w *watch) bool {
	k.calls.Add(1)
	k.state.Store(calling)
	p.arm()
	w.run(k)
	return k.state.CompareAndSwap(calling, resting)
}

// next returns the next connection whose handler is to be called. If there is none, and no other
// worker waits for events, next waits for them. If another one does, next returns nil and the
// worker has left the crew.
func (p *poller) next(k *worker) *watch {
	for {
		w, wait := p.crew.next(k)
		if !wait {
			return w
		}
		wanted, err := p.poll()
		if err != nil {
			return nil // never: nobody closes the descriptor of the poller
		}
		p.hire(wanted)
	}
}

// next returns a connection, or true if the worker is to wait for events.
func (c *crew) next(k *worker) (w *watch, wait bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.ready); n > 0 {
		w = c.ready[n-1]
		c.ready[n-1] = nil
		c.ready = c.ready[:n-1]
		return w, false
	}
	if c.polling {
		c.remove(k)
		return nil, false
	}
	c.polling = true
	return nil, true
}

// remove takes a worker out of the crew. Needs mu.
func (c *crew) remove(k *worker) {
	c.workers = slices.DeleteFunc(c.workers, func(other *worker) bool { return other == k })
}

// poll waits for events and hands them out. It returns how many more workers they need.
func (p *poller) poll() (wanted int, err error) {
	defer func() { wanted = p.crew.polled(p.brief) }()
	p.brief = p.brief[:0]
	return 0, p.raw.Read(p.readable)
}

// polled takes over the connections that can be read, the first one last.
func (c *crew) polled(found []*watch) (wanted int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.polling = false
	for _, w := range slices.Backward(found) {
		c.ready = append(c.ready, w)
	}
	clear(found)
	return min(processors(), 1+len(c.ready)/share) - len(c.workers)
}

// relieve makes a worker leave the crew while it calls a handler. If that leaves work, another one
// starts in its place. It does nothing if the worker calls no handler, or has left.
func (p *poller) relieve(k *worker) {
	if k.state.CompareAndSwap(calling, relieved) && p.crew.leave(k) {
		p.hire(1)
	}
}

// leave takes a worker out of the crew. It reports whether a place is free: nobody waits for
// events, or a connection waits for a worker.
func (c *crew) leave(k *worker) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(k)
	return !c.polling || len(c.ready) > 0
}

// arm makes the watchdog ring, unless it will.
func (p *poller) arm() {
	if c := &p.crew; !c.armed.Load() && c.armed.CompareAndSwap(false, true) {
		c.watchdog.Reset(patience)
	}
}

// check relieves the workers that have called the same handler when the watchdog last rang. It
// rings on while the crew is busy.
func (p *poller) check() {
	defer guard.Recover(nil, "the watchdog of the poller")
	p.crew.armed.Store(false)
	late, busy := p.crew.late()
	for _, k := range late {
		p.relieve(k)
	}
	if busy {
		p.arm()
	}
}

// late returns the workers whose handler does not return, and reports whether the crew has called
// handlers since the last time.
func (c *crew) late() (late []*worker, busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.workers {
		calls := k.calls.Load()
		if k.state.Load() == calling && calls == k.seen {
			late = append(late, k)
		}
		busy = busy || calls != k.seen
		k.seen = calls
	}
	return late, busy
}

// processors is how many goroutines run at a time.
func processors() int { return runtime.GOMAXPROCS(0) }
