package poller

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// Conn is a TCP or Unix connection whose descriptor belongs to the poller.
type Conn struct {
	watch

	fd int32 // static
	// uses is the number of references to the descriptor, and closing once no more may be
	// taken. It has closing alone when the descriptor is closed.
	uses atomic.Int32

	filled bool // the last read filled its buffer; owned by the goroutine that reads
}

// closing is greater than any number of references.
const closing = 1 << 30

// Take duplicates the descriptor of a connection. It returns nil if that is not possible: conn is
// no bare socket, and what is around the socket may hold bytes; or there is no poller; or the
// process has no descriptor left. conn stays open until the caller closes it, which closes its
// descriptor and not the connection. Until then only conn is written to, and afterwards only
// the Conn.
func Take(conn net.Conn) *Conn {
	raw := socketOf(conn)
	if raw == nil || off.Load() {
		return nil
	}
	p, err := shared()
	if err != nil {
		return nil
	}
	fd := -1
	err = raw.Control(func(old uintptr) {
		fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil || fd < 0 {
		return nil
	}
	return own(p, fd)
}

// own returns the Conn of a descriptor that nothing else uses.
func own(p *poller, fd int) *Conn {
	c := &Conn{fd: int32(fd)}
	c.poller, c.target = p, c
	c.uses.Store(1)
	return c
}

// Takes reports whether Take may take a connection over.
func Takes(conn net.Conn) bool { return !off.Load() && socketOf(conn) != nil }

// socketOf returns the descriptor of a bare socket, or nil.
func socketOf(conn net.Conn) (raw syscall.RawConn) {
	var err error
	switch conn := rawtcp.Bare(conn).(type) {
	case *net.TCPConn:
		raw, err = conn.SyscallConn()
	case *net.UnixConn:
		raw, err = conn.SyscallConn()
	}
	if err != nil {
		return nil
	}
	return raw
}

// use takes a reference to the descriptor. It returns false if the connection was closed;
// otherwise release must follow.
func (c *Conn) use() bool {
	for {
		n := c.uses.Load()
		if n >= closing {
			return false
		}
		if c.uses.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives a reference back. The last one closes the descriptor.
func (c *Conn) release() {
	if c.uses.Add(-1) == closing {
		_ = unix.Close(int(c.fd)) // nobody can use the error
	}
}

// Close closes the connection. What waits for it gets net.ErrClosed. Close does not wait for a
// Handler. It may be called more than once.
func (c *Conn) Close() error {
	if c.stop() {
		c.uses.Add(closing)
		c.release() // the reference of Take
	}
	return nil
}

// CloseWrite ends the stream to the client.
func (c *Conn) CloseWrite() error {
	if !c.use() {
		return net.ErrClosed
	}
	defer c.release()
	return unix.Shutdown(int(c.fd), unix.SHUT_WR)
}

func (c *Conn) control(op int, ev *unix.EpollEvent) error {
	if !c.use() {
		return net.ErrClosed
	}
	defer c.release()
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(c.poller.fd, op, int(c.fd), ev))
}

// Start makes the connection wait for bytes. h gets what has arrived before as well.
func (c *Conn) Start(h Handler) error { return c.start(h) }

// Yield says that the Handler is about to wait, or to work for long. Handlers of other connections
// then do not wait for it. It may be called more than once, and by other goroutines.
func (c *Conn) Yield() { c.yield() }

// TryRead reads what is there. It returns 0 and no error if there is nothing, and io.EOF at the
// end of the stream. One goroutine reads at a time.
func (c *Conn) TryRead(p []byte) (int, error) {
	n, err := c.tryRead(p)
	if err == unix.EAGAIN {
		err = nil
	}
	return n, err
}

func (c *Conn) tryRead(p []byte) (int, error) {
	if !c.use() {
		return 0, net.ErrClosed
	}
	defer c.release()
	for {
		n, err := syscall.Read(int(c.fd), p)
		c.filled = n == len(p)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Left reports whether there may be more to read right now: the last read has filled its
// buffer, or the end of the stream has arrived. If not, Readable is called for what comes
// next. The goroutine that reads calls it.
func (c *Conn) Left() bool { return c.filled || c.hasEnded() }

// Read waits for bytes, at most until the deadline. One goroutine reads at a time.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		n, err := c.tryRead(p)
		if err != unix.EAGAIN {
			return n, err
		}
		if err := c.parkRead(); err != nil {
			return 0, err
		}
	}
}

// SetReadDeadline bounds the next calls of Read; the zero time removes the bound. The goroutine
// that reads calls it.
func (c *Conn) SetReadDeadline(t time.Time) error { c.setReadDeadline(t); return nil }

// TryWrite writes as much of p as the socket takes at once, and returns how much that was. A
// full socket is not an error.
func (c *Conn) TryWrite(p []byte) (int, error) {
	if !c.use() {
		return 0, net.ErrClosed
	}
	defer c.release()
	for {
		n, err := syscall.Write(int(c.fd), p)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, err
	}
}

// WhenWritable calls f once, on a goroutine of its own: with nil when TryWrite may write more,
// with os.ErrDeadlineExceeded when that takes longer than within, and with net.ErrClosed when
// the connection is closed. Only one such call may be outstanding.
func (c *Conn) WhenWritable(within time.Duration, f func(error)) { c.whenWritable(within, f) }
