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

// inside is a stream inside of the request's handler: over HTTP/2 and HTTP/3, and where the
// connection can not be hijacked.
//
// Writers around the server's own may keep state without a lock, such as the deadline of a
// write; only the goroutine that holds the gate uses them. To abort a write, another goroutine
// sets the deadline of the innermost writer, which any goroutine may do.
type inside struct {
	// Static after creation.
	hub    *hub.Hub
	out    io.Writer // the outermost writer
	chain  *http.ResponseController
	base   *http.ResponseController
	stuck  func()        // called when a write is aborted
	closed chan struct{} // closed by Close

	gate

	// Guarded by state, which may be locked while the gate's lock is held.
	state   sync.Mutex
	writing bool
	ended   bool // no write may start any more
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
	t.Close() // aborts a write that is stuck because the client does not read
	t.end()
}

// Write writes p and flushes it within the hub's write timeout. It runs outside of the
// handler's goroutine, so it recovers panics of the writers itself.
func (t *inside) Write(p []byte) error {
	return t.gate.write(func() error { return t.flush(p) })
}

// flush is Write with the gate held.
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

// start sets the deadline of a write. It returns false if the stream has ended.
func (t *inside) start() bool {
	t.state.Lock()
	defer t.state.Unlock()
	if t.ended || t.deadline(time.Now().Add(t.hub.Settings().WriteTimeout)) != nil {
		return false
	}
	t.writing = true
	return true
}

// finish removes the deadline. Over HTTP/2 a deadline that passes resets the stream, even without
// a write in progress.
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
	return nil // then only the server's own limits apply
}

// Close makes the handler return. Afterwards only the write in progress uses the writers, and
// the handler waits for it.
func (t *inside) Close() {
	t.state.Lock()
	defer t.state.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	close(t.closed)
	if t.writing {
		_ = t.base.SetWriteDeadline(time.Unix(1, 0)) // if it fails, the write timeout ends the write
		t.stuck()
	}
}
