package poller

import (
	"crypto/tls"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watch waits for bytes on the wire of a TLS connection, which package net goes on to own.
type Watch struct {
	watch
	raw syscall.RawConn // static
}

// NewWatch returns the Watch of a connection. It returns nil if that is not possible: conn is not
// TLS on a bare socket, and what is between the two may hold bytes; or there is no poller.
func NewWatch(conn net.Conn) *Watch {
	t, ok := conn.(*tls.Conn)
	if !ok || off.Load() {
		return nil
	}
	raw := socketOf(t.NetConn())
	if raw == nil {
		return nil
	}
	p, err := shared()
	if err != nil {
		return nil
	}
	w := &Watch{raw: raw}
	w.poller, w.target, w.slow = p, w, true
	return w
}

// Wait makes h wait once: Readable is called when there are bytes on the wire, or the connection
// has ended. What the TLS connection has read already is not on the wire any more, so the caller
// must have read that. Readable may call Wait again. h is the same in all calls.
func (w *Watch) Wait(h Handler) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = h
	return w.list(unix.EPOLLONESHOT)
}

// Stop ends the wait. It is called before the connection is closed. It does not wait for a
// Handler, and may be called more than once.
func (w *Watch) Stop() { w.stop() }

// control implements target. Inside of Control the descriptor can not be closed.
func (w *Watch) control(op int, ev *unix.EpollEvent) (err error) {
	if e := w.raw.Control(func(fd uintptr) { err = unix.EpollCtl(w.poller.fd, op, int(fd), ev) }); e != nil {
		return e
	}
	return os.NewSyscallError("epoll_ctl", err)
}
