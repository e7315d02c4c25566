// Package gate bounds how many TLS handshakes are computed at once, so that thousands of clients that reconnect at
// the same time do not keep the messages of the others waiting.
//
//   - gate.go: the connections and their places
//   - record.go: where the record of a handshake ends
//   - module.go: [Handshakes], the listener wrapper of Caddy
//
// `handshakes` in `limits` cannot do that: it sees a client only behind the handshake of TLS, which costs
// the server more than all that follows. Rejected was a bound on new connections a second, which one client could use
// up with connections on which nothing comes.
package gate

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// patience is how long a handshake keeps its place. One that takes longer waits for something else than a
// processor, such as a certificate that is being issued, and must not keep the others out.
const patience = 50 * time.Millisecond

// A place stays empty for restFactor times as long as the last handshake had it, and for longestRest at most. Otherwise
// the handshakes of a storm would keep a processor busy without a pause, which the messages need. The maximum is
// for a busy machine: there a handshake takes long, and a long rest too would keep the clients out.
const (
	restFactor  = 2
	longestRest = 3 * time.Millisecond
)

// gate has a place for each handshake that is computed.
type gate struct {
	places   chan struct{}
	patience time.Duration
}

func newGate(n int) gate { return gate{make(chan struct{}, n), patience} }

// free gives a place to the next handshake. The caller has one.
func (g gate) free() {
	defer guard.Recover(nil, "a place for a TLS handshake")
	<-g.places
}

// listener hands out connections that pass the gate.
type listener struct {
	net.Listener
	gate   gate
	behind func() // called when a connection has passed TLS already
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := c.(*tls.Conn); ok {
		l.behind()
		return c, nil
	}
	return &conn{Conn: c, gate: l.gate}, nil
}

// States of a conn.
const (
	waiting int32 = iota // no whole record of a handshake has arrived
	inside               // it has a place
	through              // it needs none any more
)

// conn is a connection on which a TLS handshake comes, or something else. A handshake has a place from the moment at
// which the client's first record is there until the server answers or reads on. The place is not held
// while the server waits for the client, so a client that sends half a record takes none.
type conn struct {
	net.Conn
	gate gate
	// state goes from waiting to inside by the one goroutine that reads. Several goroutines may end a place: the
	// first of them takes state from inside to waiting or through, and gives the place back.
	state  atomic.Int32
	since  time.Time // when it got the place; written before state says inside
	record record    // owned by the goroutine that reads
}

// Read waits for a place behind the last bytes of a handshake's record. Closing the connection does not end that
// wait. It takes at most patience and longestRest for each handshake that is before this one.
func (c *conn) Read(p []byte) (int, error) {
	c.leave(waiting) // the handshake has several records
	n, err := c.Conn.Read(p)
	if n == 0 || c.state.Load() == through {
		return n, err
	}
	whole, handshake := c.record.add(p[:n])
	switch {
	case !handshake:
		c.state.Store(through)
	case whole:
		c.gate.places <- struct{}{}
		c.since = time.Now()
		c.state.Store(inside)
		time.AfterFunc(c.gate.patience, c.expire)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	c.leave(through)
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.leave(through)
	return c.Conn.Close()
}

// expire ends a handshake's time at its place.
func (c *conn) expire() {
	defer guard.Recover(nil, "a place for a TLS handshake")
	c.leave(through)
}

// leave gives the place back after its rest, if the connection has one.
func (c *conn) leave(to int32) {
	if !c.state.CompareAndSwap(inside, to) {
		return
	}
	time.AfterFunc(min(restFactor*time.Since(c.since), longestRest), c.gate.free)
}

// ReadFrom lets a response without TLS go from a file to the socket in the kernel, as without the gate.
func (c *conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite ends what the server sends, as [net.TCPConn.CloseWrite].
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Bare returns the connection below, see package rawtcp.
func (c *conn) Bare() net.Conn { return c.Conn }
