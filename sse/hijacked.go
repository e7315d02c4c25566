package sse

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// maxChatter is how many bytes a client may send after its request. A well-behaved client sends
// none.
const maxChatter = 1 << 10

// hijacked is a stream over a connection that was hijacked from the HTTP server. It references
// nothing of the request.
type hijacked struct {
	// Static after creation.
	hub         *hub.Hub
	userTimeout time.Duration
	bare        net.Conn // the connection without the wrappers of the server; nil if it is unknown

	// Written before the gate opens, static afterwards.
	raw syscall.RawConn // nil when there is no plain socket

	gate

	// Guarded by state. conn does not change once it is there.
	state  sync.Mutex
	conn   net.Conn // nil before the response has started
	closed bool
	stop   func() // see whenClosed; may be nil
}

func newHijacked(r *http.Request, o Options) *hijacked {
	return &hijacked{hub: o.Registry.Hub(), userTimeout: o.UserTimeout, bare: o.connOf(r), gate: newGate()}
}

func (t *hijacked) begin(w http.ResponseWriter, first []byte) error {
	setHijackedHeader(w.Header())
	if err := writeHead(w, first); err != nil {
		return err
	}
	conn, _, err := http.NewResponseController(httpwriter.Innermost(w)).Hijack()
	if err != nil {
		return err
	}
	t.take(cmp.Or(t.bare, conn))
	t.lift()
	return nil
}

// take sets the connection of the stream.
func (t *hijacked) take(conn net.Conn) {
	rawtcp.SetUserTimeout(conn, t.userTimeout)
	t.raw = plainSocket(conn)
	t.state.Lock()
	defer t.state.Unlock()
	t.conn = conn
	if t.closed { // the hub closed the stream before the response started
		_ = conn.Close()
	}
}

// run makes the poller wait for the client to disconnect, or else a goroutine.
func (t *hijacked) run(_ context.Context, c *hub.Conn) {
	if !watchWire(t, c) {
		go watch(t.conn, c, t.hub)
	}
}

// whenClosed sets what is called before the connection is closed, or calls it if that has happened.
func (t *hijacked) whenClosed(f func()) {
	t.state.Lock()
	defer t.state.Unlock()
	if t.closed {
		f()
	}
	t.stop = f
}

// watch closes c when its client has disconnected, or sends too much.
func watch(conn net.Conn, c *hub.Conn, h *hub.Hub) {
	defer recoverReader(c, h)
	buf := make([]byte, 32)
	for heard := 0; heard <= maxChatter; {
		n, err := conn.Read(buf)
		if err != nil {
			c.Close(hub.ReasonLost)
			return
		}
		heard += n
	}
	c.Close(protocol.ReasonPolicy)
}

// recoverReader ends a panic of watch. It logs with the logger in force now, not with that
// of the start: a stream may live longer than a configuration.
func recoverReader(c *hub.Conn, h *hub.Hub) {
	if v := recover(); v != nil {
		guard.Report(h.Settings().Logger, "the reader of an event stream", v)
		c.Close(protocol.ReasonInternal)
	}
}

// Write writes p within the hub's write timeout.
func (t *hijacked) Write(p []byte) error {
	return t.gate.write(func() error { return t.writeBounded(p) })
}

func (t *hijacked) writeBounded(p []byte) error {
	if err := t.conn.SetWriteDeadline(time.Now().Add(t.hub.Settings().WriteTimeout)); err != nil {
		return err
	}
	if _, err := t.conn.Write(p); err != nil {
		return err
	}
	// TryWrite sets no deadline. It would fail with one that has passed.
	return t.conn.SetWriteDeadline(time.Time{})
}

// Close closes the connection.
func (t *hijacked) Close() {
	t.state.Lock()
	defer t.state.Unlock()
	t.closed = true
	if t.stop != nil {
		t.stop()
	}
	if t.conn != nil {
		_ = t.conn.Close() // nobody can use the error
	}
}
