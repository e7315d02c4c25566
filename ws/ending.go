package ws

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// linger is how long a client may take to answer the close frame. The server reads on for that
// time: a socket that is closed with unread bytes is reset, and a reset overtakes the close
// frame.
const linger = time.Second

// ending decides when the connection below is cut. The hub calls Close after its last write.
// The reader calls readerDone when it has read the client's close frame or can not read on.
// When both have finished, or one of them can not go on, the connection is cut.
type ending struct {
	// cut ends both directions. It is called once. writing means that a write is stuck and
	// must be aborted. Static.
	cut func(writing bool)

	// Guarded by mu.
	mu      sync.Mutex
	timer   *time.Timer // cuts after linger
	writing bool        // a write that may block is in progress
	broken  bool        // a write failed: nothing more can reach the client
	deaf    bool        // the reader has finished
	closed  bool        // the hub has finished
	over    bool        // cut was called
}

// beginWrite reports whether a write may start. If so, endWrite must follow.
func (e *ending) beginWrite() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.over {
		return false
	}
	e.writing = true
	return true
}

func (e *ending) endWrite(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writing = false
	e.broken = e.broken || err != nil
}

// Close says that the hub writes nothing more. The connection is cut at once if the reader has
// finished or a write is stuck. Otherwise it is cut when the client has answered, and after
// linger at the latest.
func (e *ending) Close() { e.close() }

// close is Close. It reports whether the wait for the client's answer has started.
func (e *ending) close() bool {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	now := e.deaf || e.broken || e.writing
	wait := !now && !again && !e.over
	if wait {
		e.timer = time.AfterFunc(linger, e.late)
	}
	e.mu.Unlock()
	if now {
		e.abort()
	}
	return wait
}

// isClosed reports whether the hub has finished. Messages that still arrive are dropped then.
func (e *ending) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// readerDone says that the reader reads nothing more.
func (e *ending) readerDone() {
	e.mu.Lock()
	e.deaf = true
	closed := e.closed
	e.mu.Unlock()
	if closed {
		e.abort()
	}
}

// late is called when the client has not answered in time.
func (e *ending) late() {
	defer guard.Recover(nil, "the end of a WebSocket")
	e.abort()
}

// abort cuts the connection now.
func (e *ending) abort() {
	e.mu.Lock()
	if e.over {
		e.mu.Unlock()
		return
	}
	e.over = true
	writing := e.writing
	if e.timer != nil {
		e.timer.Stop()
	}
	e.mu.Unlock()
	e.cut(writing)
}
