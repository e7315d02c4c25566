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
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
)

// inside is a stream inside of the request's handler: over HTTP/2 and HTTP/3, and where the
// connection can not be hijacked.
//
// Events go through the whole chain of writers, because one of them may compress the stream.
// Writers of the chain may keep state without a lock: only the goroutine that holds the gate
// uses them. Another goroutine aborts a write by the innermost writer, which any goroutine may
// use. A write deadline for each write does not work here, for the reasons given in package
// ws, which does the same.
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
	watch   *time.Timer // calls late; nil before the first write
	due     time.Time   // when the write in progress must have finished
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
	// Remove the server's deadline for a whole response. Where there are none, only the server's
	// own limits apply.
	if err := t.chain.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
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
	if !t.start(t.hub.Settings().WriteTimeout) {
		return net.ErrClosed
	}
	defer t.finish()
	if _, err := t.out.Write(p); err != nil {
		return err
	}
	return t.chain.Flush()
}

// start starts the time of a write. It returns false if the stream has ended.
func (t *inside) start(timeout time.Duration) bool {
	t.state.Lock()
	defer t.state.Unlock()
	if t.ended {
		return false
	}
	t.writing, t.due = true, time.Now().Add(timeout)
	if t.watch == nil {
		t.watch = time.AfterFunc(timeout, t.late)
	} else {
		t.watch.Reset(timeout)
	}
	return true
}

func (t *inside) finish() {
	t.state.Lock()
	defer t.state.Unlock()
	t.watch.Stop()
	t.writing = false
}

// late aborts the write in progress when its time is over. It may come too late for one write,
// and then finds the next one.
func (t *inside) late() {
	defer guard.Recover(t.hub.Settings().Logger, "a stuck write of an event stream")
	t.state.Lock()
	defer t.state.Unlock()
	if !time.Now().Before(t.due) {
		t.abort()
	}
}

// abort makes the write in progress fail. The caller holds state, so that the handler does not
// return meanwhile.
func (t *inside) abort() {
	if t.writing {
		_ = t.base.SetWriteDeadline(time.Unix(1, 0)) // if it fails, only the server's limits are left
		t.stuck()
	}
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
	t.abort()
}
