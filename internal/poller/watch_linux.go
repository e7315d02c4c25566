package poller

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

const (
	// gone are the events that a stream has ended, or that a read or write fails.
	gone = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	// inward are the events that concern reads.
	inward = unix.EPOLLIN | gone
	// outward are the events that concern writes.
	outward = unix.EPOLLOUT | unix.EPOLLHUP | unix.EPOLLERR
)

// watch is the state of one connection in the poller.
type watch struct {
	// Static.
	poller *poller
	target target
	slow   bool // the handler may wait for what no Yield precedes; it gets a goroutine of its own

	worker atomic.Pointer[worker] // that calls the handler; nil: none, or a goroutine of its own does

	// Guarded by mu.
	mu      sync.Mutex
	handler Handler // nil until start
	waits   *waits
	name    unix.EpollEvent // what its events carry, and which ones it gets
	listed  bool            // it has an entry and is in the epoll set
	closed  bool
	reading bool // a goroutine is calling the handler
	more    bool // something has arrived that no read has looked for
	ended   bool // the stream has ended, or is broken
}

// target has the descriptor of a watch.
type target interface {
	// control calls epoll_ctl for the descriptor.
	control(op int, ev *unix.EpollEvent) error
}

// waits is what waits for a connection. Only connections for which something waits have it.
// watch.mu guards its fields.
type waits struct {
	read     chan error    // a blocked read; nil: none
	readDue  time.Duration // the deadline of reads; 0: none
	write    func(error)   // to be called when there is space to write; nil: nobody waits
	writeDue time.Duration // the deadline of that
}

// start sets the handler. It is called at once if there is something to read already.
func (w *watch) start(h Handler) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = h
	if err := w.list(0); err != nil {
		return err
	}
	if w.more && w.readable() {
		go w.run(nil)
	}
	return nil
}

// list puts the connection into the epoll set, or asks for further events as well. If what is
// asked for is the case already, an event says so. Needs mu.
func (w *watch) list(more uint32) error {
	if w.closed {
		return net.ErrClosed
	}
	op := unix.EPOLL_CTL_MOD
	if !w.listed {
		w.name, op = w.poller.add(w), unix.EPOLL_CTL_ADD
	} else if more == 0 {
		return nil
	}
	w.name.Events = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET | more
	if err := w.target.control(op, &w.name); err != nil {
		if !w.listed {
			w.poller.remove(w.name.Fd)
		}
		return err
	}
	w.listed = true
	return nil
}

// arrived handles an event. It reports whether a worker has to call run. The worker that waits
// for events calls it.
func (w *watch) arrived(mask uint32) (brief bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	if mask&gone != 0 {
		w.ended = true
	}
	if mask&outward != 0 {
		w.writable(nil)
	}
	if mask&inward == 0 {
		return false
	}
	w.more = true
	if !w.readable() {
		return false
	}
	if w.slow {
		go w.run(nil)
		return false
	}
	return true
}

// readable wakes the read that waits. If there is none, it reports whether run must be called.
// Needs mu.
func (w *watch) readable() bool {
	switch {
	case w.waits != nil && w.waits.read != nil:
		w.wakeRead(nil)
	case w.handler != nil && !w.reading:
		w.reading = true
		return true
	}
	return false
}

// run calls the handler until nothing more has arrived. k is nil on a goroutine of its own.
func (w *watch) run(k *worker) {
	defer guard.Recover(nil, "a connection that can be read")
	for w.next(k) {
		w.handler.Readable()
	}
}

// next reports whether there is something to read.
func (w *watch) next(k *worker) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reading = w.more && !w.closed
	w.more = false
	if !w.reading {
		k = nil
	}
	w.worker.Store(k)
	return w.reading
}

// yield lets the worker that calls the handler leave the crew, so that no other connection waits
// for this handler. It does nothing on a goroutine of its own.
func (w *watch) yield() {
	if k := w.worker.Swap(nil); k != nil {
		w.poller.relieve(k)
	}
}

// hasEnded reports whether the end of the stream has arrived.
func (w *watch) hasEnded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// parkRead waits until something arrives, the deadline passes or the connection is closed.
// Only one goroutine reads.
func (w *watch) parkRead() error {
	wake, err := w.willRead()
	if wake == nil {
		return err
	}
	w.yield()
	return <-wake
}

// willRead registers a read that waits. It returns nil if the read must not wait.
func (w *watch) willRead() (chan error, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.list(0); err != nil {
		return nil, err
	}
	if w.more {
		w.more = false
		return nil, nil
	}
	if w.waits == nil {
		w.waits = new(waits)
	}
	if due := w.waits.readDue; due != 0 {
		if now() >= due {
			return nil, os.ErrDeadlineExceeded
		}
		w.poller.sweep.set(key{w, false}, due)
	}
	w.waits.read = make(chan error, 1)
	return w.waits.read, nil
}

// wakeRead ends the wait of a read. Needs mu.
func (w *watch) wakeRead(err error) {
	if w.waits == nil || w.waits.read == nil {
		return
	}
	if err == nil {
		w.more = false // the read looks for it
	}
	if w.waits.readDue != 0 {
		w.poller.sweep.clear(key{w, false})
	}
	select {
	case w.waits.read <- err:
	default: // never: it has space for one
	}
	w.waits.read = nil
}

// setReadDeadline bounds the next reads that wait; the zero time removes the bound.
func (w *watch) setReadDeadline(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waits == nil {
		if t.IsZero() {
			return
		}
		w.waits = new(waits)
	}
	w.waits.readDue = 0
	if !t.IsZero() {
		w.waits.readDue = max(now()+time.Until(t), 1)
	}
	w.forgetWaits()
}

// forgetWaits frees waits that nobody uses. Needs mu.
func (w *watch) forgetWaits() {
	if w.waits.read == nil && w.waits.write == nil && w.waits.readDue == 0 {
		w.waits = nil
	}
}

// whenWritable calls f once: with nil when there may be space to write, with an error when
// that takes too long or the connection is closed.
func (w *watch) whenWritable(within time.Duration, f func(error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waits == nil {
		w.waits = new(waits)
	}
	w.waits.write = f
	if within <= 0 {
		w.writable(os.ErrDeadlineExceeded)
		return
	}
	w.waits.writeDue = now() + within
	w.poller.sweep.set(key{w, true}, w.waits.writeDue)
	if err := w.list(unix.EPOLLOUT); err != nil {
		w.writable(err)
	}
}

// writable ends the wait for space to write. Needs mu.
func (w *watch) writable(err error) {
	if w.waits == nil || w.waits.write == nil {
		return
	}
	f := w.waits.write
	w.waits.write = nil
	w.poller.sweep.clear(key{w, true})
	w.forgetWaits()
	go call(f, err)
}

// expire is called when a deadline has passed. Meanwhile another wait may have started.
func (w *watch) expire(writes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.waits == nil:
	case writes && w.waits.writeDue <= now():
		w.writable(os.ErrDeadlineExceeded)
	case !writes && w.waits.readDue <= now():
		w.wakeRead(os.ErrDeadlineExceeded)
	}
}

// stop takes the connection out of the epoll set and ends all waits. It reports whether this
// is the first call.
func (w *watch) stop() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.closed = true
	if w.listed {
		_ = w.target.control(unix.EPOLL_CTL_DEL, nil) // it fails if the connection was closed already
		w.poller.remove(w.name.Fd)
	}
	w.wakeRead(net.ErrClosed)
	w.writable(net.ErrClosed)
	return true
}
