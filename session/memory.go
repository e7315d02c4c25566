package session

import (
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// requestCost is the memory of a request whose body is not read yet: a goroutine, the header,
// the buffers of the server.
const requestCost = 16 << 10

// Memory counts the memory that requests of the HTTP API hold: bodies that are still being
// read, and answers that the caller has not read yet.
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
	memory *Memory // nil: the request is not counted
	net    netip.Addr

	held int64
}

// Reserve starts to count the memory of a caller's request. [Reservation.Release] must follow.
// The app is not counted: it is trusted, and clients must not be able to use up its memory.
// The errors are RATE_LIMITED if the requests of the caller's address hold too much already,
// and UNAVAILABLE if all requests together do.
func (m *Memory) Reserve(c Caller) (*Reservation, *protocol.Error) {
	if c.App {
		return new(Reservation), nil
	}
	v := &Reservation{memory: m, net: c.who().From()}
	return v, v.Add(requestCost)
}

// Add counts n more bytes. A request that is alone always gets them, whatever the limits are:
// the size of a body and of an answer is bounded elsewhere.
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

// Body returns a reader that counts what is read of a body. It counts each byte twice, because
// the buffer grows by halves, and because the decoded value takes memory beside it. Its errors
// are those of r and of [Reservation.Add].
func (v *Reservation) Body(r io.Reader) io.Reader { return &heldBody{r, v} }

type heldBody struct {
	io.Reader
	memory *Reservation
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if e := b.memory.Add(2 * n); e != nil {
		return n, e
	}
	return n, err
}

// beyond reports whether n more bytes are too many.
func beyond(held int64, n int, limit int64) bool { return limit > 0 && held+int64(n) > limit }

// Release ends the count of a request. A second call does nothing.
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

// add changes the counters. The caller holds mu.
func (m *Memory) add(net netip.Addr, n int64) {
	if m.nets == nil {
		m.nets = make(map[netip.Addr]int64)
	}
	m.total += n
	if m.nets[net] += n; m.nets[net] <= 0 {
		delete(m.nets, net)
	}
}
