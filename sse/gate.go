package sse

import (
	"net"
	"sync"
)

// gate lets the writes of a connection pass, one at a time, while the response lasts.
// Writes wait until the response has started or is given up: until then [Serve] may
// still answer the request with an error.
type gate struct {
	decided chan struct{} // closed by lift and by cancel; static

	mu   sync.Mutex // held during each write, which the write timeout bounds
	open bool       // guarded by mu
}

func newGate() gate { return gate{decided: make(chan struct{})} }

// lift lets writes pass.
func (g *gate) lift() {
	g.mu.Lock()
	g.open = true
	g.mu.Unlock()
	close(g.decided)
}

// cancel makes the writes that wait fail, and all later ones. It takes the place of
// lift.
func (g *gate) cancel() { close(g.decided) }

// end waits for the write in flight and lets no write pass afterwards.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = false
}

// write waits for its turn and calls f. Without a stream it returns net.ErrClosed.
func (g *gate) write(f func() error) error {
	<-g.decided
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		return net.ErrClosed
	}
	return f()
}

// tryWrite is write without waiting: it returns 0 if it is not its turn at once.
func (g *gate) tryWrite(f func() (int, error)) (int, error) {
	select {
	case <-g.decided:
	default:
		return 0, nil
	}
	if !g.mu.TryLock() {
		return 0, nil
	}
	defer g.mu.Unlock()
	if !g.open {
		return 0, net.ErrClosed
	}
	return f()
}
