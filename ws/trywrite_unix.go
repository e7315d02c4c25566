//go:build unix

package ws

import (
	"io"
	"net"
	"syscall"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// trySocket is a socket on plain TCP, whose descriptor can be used directly: for
// writes that do not wait, and for waiting without a buffer. TLS must have neither:
// a record that is cut off cannot be continued later, and bytes on the wire are not
// what its reader gets.
type trySocket struct {
	socket

	// Static.
	raw      syscall.RawConn
	readable func(fd uintptr) (done bool) // is t.tryRead; made once

	// What tryRead came to; owned by the reader.
	got *[]byte
	err error
}

// newSocket returns the link of a connection that was taken over. Connections
// inside wrappers cannot be written to without waiting, because a wrapper may
// stand for bytes that are not on the wire yet.
func newSocket(h *hub.Hub, conn net.Conn, early []byte) link {
	if tcp, ok := conn.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			t := &trySocket{raw: raw}
			t.init(h, conn, early)
			t.readable = t.tryRead
			return t
		}
	}
	s := new(socket)
	s.init(h, conn, early)
	return s
}

// TryWrite writes what the socket takes now.
func (t *trySocket) TryWrite(p []byte) (int, error) { return rawtcp.TryWrite(t.raw, p) }

// await waits for bytes and reads them into a pooled buffer, which is taken only
// when they are there.
func (t *trySocket) await() (*[]byte, error) {
	if len(t.early) > 0 {
		b := getBuffer()
		*b = append(*b, t.early...)
		t.early = nil
		return b, nil
	}
	if err := t.raw.Read(t.readable); err != nil {
		return nil, err
	}
	b, err := t.got, t.err
	t.got, t.err = nil, nil
	return b, err
}

// tryRead reports false when there is nothing to read, and is then called again as
// soon as that changes.
func (t *trySocket) tryRead(fd uintptr) bool {
	b := getBuffer()
	for {
		n, err := syscall.Read(int(fd), (*b)[:cap(*b)])
		switch {
		case err == syscall.EINTR:
			continue
		case err == nil && n > 0:
			*b = (*b)[:n]
			t.got = b
			return true
		case err == nil:
			t.err = io.EOF
		default:
			t.err = err
		}
		putBuffer(b)
		if err == syscall.EAGAIN {
			t.err = nil
			return false
		}
		return true
	}
}
