package sse

import "sync"

// gate lets the writes of a connection pass, one at a time, from the moment the
// response has begun until it is over. Before that they wait: until [Serve] knows
// that there will be a stream, the request can still be answered with an error.
// A gate is made shut.
type gate struct {
	mu sync.Mutex // held while shut, then during each write

	// Guarded by mu.
	open bool
}

func (g *gate) shut() { g.mu.Lock() }

// lift opens a shut gate.
func (g *gate) lift() {
	g.open = true
	g.mu.Unlock()
}

// cancel lets nothing pass a shut gate any more; writes that wait fail.
func (g *gate) cancel() { g.mu.Unlock() }

// end waits for the write in flight and lets none pass after it.
func (g *gate) end() {
	g.mu.Lock()
	g.open = false
	g.mu.Unlock()
}
