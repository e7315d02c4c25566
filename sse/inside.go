package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
)

// inside is a stream that lives in the request's handler: over HTTP/2 and HTTP/3,
// and where the connection cannot be taken over.
//
// Writers around the server's own may keep state without a lock, such as the
// deadline of a write; only the goroutine that holds the gate uses them. What cuts
// a write short from outside goes past them to the innermost one, whose deadlines
// may be set by any goroutine.
type inside struct {
	// Static after creation.
	hub    *hub.Hub
	out    io.Writer // the outermost writer
	chain  *http.ResponseController
	base   *http.ResponseController
	stuck  func()        // called when a write is cut short
	closed chan struct{} // closed by Close

	gate

	// Guarded by state, which may be locked while the gate's lock is held.
	state   sync.Mutex
	writing bool
	ended   bool // no write begins any more
}

func newInside(w http.ResponseWriter, r *http.Request, o Options) *inside {
	t := &inside{
		hub:    o.Registry.Hub(),
		out:    pace.Portions(w, r),
		chain:  http.NewResponseController(w),
		base:   http.NewResponseController(httpwriter.Innermost(w)),
		stuck:  func() {},
		closed: make(chan struct{}),
		gate:   newGate(),
	}
	if o.Stuck != nil {
		t.stuck = func() { o.Stuck(r) }
	}
	return t
}

func (t *inside) begin(w http.ResponseWriter, first []byte) error {
	if err := writeHead(w, first); err != nil {
		return err
	}
	if err := t.deadline(time.Time{}); err != nil { // the server's, for a whole response
		return err
	}
	t.lift()
	return nil
}

func (t *inside) cancel() {
	t.Close()
	t.gate.cancel()
}

// run keeps the handler until the stream is over.
func (t *inside) run(ctx context.Context, c *hub.Conn) {
	select {
	case <-ctx.Done():
		c.Close(hub.ReasonLost)
	case <-t.closed:
	}
	t.Close() // cuts a write short that a client holds up
	t.end()
}

// Write writes p and flushes it within the hub's write timeout. It is called
// outside of the handler's goroutine, where no other function would catch the panic of
// a writer around the server's.
func (t *inside) Write(p []byte) error {
	return t.gate.write(func() error { return t.flush(p) })
}

// flush is Write when it is its turn.
func (t *inside) flush(p []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("sse: writing panicked: %v", v)
		}
	}()
	if !t.start() {
		return net.ErrClosed
	}
	if _, err := t.out.Write(p); err != nil {
		return err
	}
	if err := t.chain.Flush(); err != nil {
		return err
	}
	return t.finish()
}

// start arms the write's deadline; false means that it is too late to write.
func (t *inside) start() bool {
	t.state.Lock()
	defer t.state.Unlock()
	if t.ended || t.deadline(time.Now().Add(t.hub.Settings().WriteTimeout)) != nil {
		return false
	}
	t.writing = true
	return true
}

// finish takes the deadline back: over HTTP/2 one that passes resets the stream,
// also when no write is in flight.
func (t *inside) finish() error {
	t.state.Lock()
	defer t.state.Unlock()
	t.writing = false
	if t.ended {
		return net.ErrClosed
	}
	return t.deadline(time.Time{})
}

func (t *inside) deadline(at time.Time) error {
	if err := t.chain.SetWriteDeadline(at); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil // then the server's own limits are all there is
}

// Close lets the handler return. Once it was called nothing but the write in
// flight, for which the handler waits, uses the writers any more.
func (t *inside) Close() {
	t.state.Lock()
	defer t.state.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	close(t.closed)
	if t.writing {
		_ = t.base.SetWriteDeadline(time.Unix(1, 0)) // the write fails by itself otherwise
		t.stuck()
	}
}
