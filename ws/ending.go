package ws

import (
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// linger is how long a client has, after the last frame to it, to answer the
// close. It is also the time for reading what was sent: closing a socket with
// unread bytes resets it, and a reset overtakes the close frame.
const linger = time.Second

// ending decides when the connection below is let go. Two have a say: the hub,
// which calls Close after its last write, and the reader, which sees the client's
// close or its end. When both are through, or when one of them cannot go on, the
// connection is cut.
type ending struct {
	// cut ends both directions. It is called once; writing says that a write is
	// stuck and has to be made to fail. Static.
	cut func(writing bool)

	// Guarded by mu.
	mu      sync.Mutex
	timer   *time.Timer // cuts after linger
	writing bool        // a write that may block is on its way
	broken  bool        // a write failed: the client can be told nothing any more
	deaf    bool        // the reader is through
	closed  bool        // the hub is through
	over    bool        // cut was called
}

// beginWrite reports whether a write may begin. Each is followed by endWrite.
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

// Close says that nothing will be written any more. The connection is cut at once
// when nobody reads or a write is stuck, else when the client has answered, and
// after linger at the latest.
func (e *ending) Close() { e.close() }

// close is Close, and reports whether the client's answer is waited for from now
// on.
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

// isClosed reports whether the hub is through, so that what still arrives is of no
// interest.
func (e *ending) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// readerDone says that nothing will be read any more.
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
