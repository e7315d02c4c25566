//go:build unix

package ws

import (
	"io"
	"net"
	"syscall"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// trySocket is a socket on plain TCP. It uses the descriptor directly: for writes that do not
// wait, and for waiting without a buffer. TLS can do neither: a record that is cut off can not
// be continued later, and the reader does not get the bytes that are on the wire.
type trySocket struct {
	socket

	// Static.
	raw      syscall.RawConn
	readable func(fd uintptr) (done bool) // is t.tryRead; made once

	// The result of tryRead; owned by the reader.
	got *[]byte
	err error
}

// newSocket returns the link of a hijacked connection. A connection inside of a wrapper gets no
// TryWrite, because a wrapper may hold bytes that are not on the wire yet.
func newSocket(h *hub.Hub, conn net.Conn, early []byte) link {
	if tcp, ok := rawtcp.Bare(conn).(*net.TCPConn); ok {
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

// await waits for bytes and reads them into a pooled buffer. It takes the buffer only when
// there are bytes.
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

// tryRead reads what is there. It returns false if there is nothing; the runtime then calls it
// again when the descriptor is readable.
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
