package session

import (
	"net/netip"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// requestCost is what a request takes before anything of its body is read: a goroutine,
// the header, the buffers of the server.
const requestCost = 16 << 10

// Memory counts the memory that requests of the HTTP API hold: bodies that are still on
// their way, and answers that are not read yet.
type Memory struct {
	rules *current // static

	// Guarded by mu.
	mu    sync.Mutex
	total int64
	nets  map[netip.Addr]int64
}

// Reservation is the memory of one request. One goroutine at a time uses it.
type Reservation struct {
	// Static.
	memory *Memory // nil: nothing is counted
	net    netip.Addr

	held int64
}

// Reserve begins to count what a request of a caller holds, and must be followed by
// [Reservation.Release]. The app is not counted: it is trusted, and nobody else shall be
// able to take its room. The errors are RATE_LIMITED where the caller's address holds too
// much already, and UNAVAILABLE where all of them together do.
func (m *Memory) Reserve(c Caller) (*Reservation, *protocol.Error) {
	if c.App {
		return new(Reservation), nil
	}
	v := &Reservation{memory: m, net: c.who().From()}
	return v, v.Add(requestCost)
}

// Add counts n more bytes. A single request always gets what it needs, whatever the
// limits are: the size of a body and of an answer is bounded elsewhere.
func (v *Reservation) Add(n int) *protocol.Error {
	if v.memory == nil {
		return nil
	}
	limits := v.memory.rules.Load().limits
	all := v.memory
	all.mu.Lock()
	defer all.mu.Unlock()
	switch others := all.nets[v.net] - v.held; {
	case v.net.IsValid() && others > 0 && beyond(others+v.held, n, limits.RequestMemoryPerIP):
		return retry(protocol.RateLimited, "requests from this address hold too much memory; send bodies and read answers faster", time.Second, 5*time.Second)
	case all.total > v.held && beyond(all.total, n, limits.RequestMemory):
		return retry(protocol.Unavailable, "requests hold too much memory at the moment", time.Second, 5*time.Second)
	}
	all.add(v.net, int64(n))
	v.held += int64(n)
	return nil
}

// beyond reports whether n more bytes are too many.
func beyond(held int64, n int, limit int64) bool { return limit > 0 && held+int64(n) > limit }

// Release ends the count. A second call does nothing.
func (v *Reservation) Release() {
	if v.memory == nil {
		return
	}
	all := v.memory
	all.mu.Lock()
	defer all.mu.Unlock()
	all.add(v.net, -v.held)
	v.held = 0
}

// add needs mu.
func (m *Memory) add(net netip.Addr, n int64) {
	if m.nets == nil {
		m.nets = make(map[netip.Addr]int64)
	}
	m.total += n
	if m.nets[net] += n; m.nets[net] <= 0 {
		delete(m.nets, net)
	}
}
