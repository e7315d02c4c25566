package sse

import (
	"net"
	"syscall"

	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// plain is a hijacked connection without TLS, to which can be written without
// waiting.
type plain struct{ hijacked }

func newPlain(o Options) *plain {
	p := &plain{hijacked{hub: o.Registry.Hub(), userTimeout: o.UserTimeout}}
	p.shut()
	return p
}

// plainSocket gives access to the socket of conn; nil if conn is something else,
// because a listener of the server has put a layer of its own around it.
func plainSocket(conn net.Conn) syscall.RawConn {
	var raw syscall.RawConn
	var err error
	switch conn := conn.(type) {
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

// TryWrite writes what the socket takes at once. Before the response has begun,
// while another write waits, and where there is no plain socket, that is nothing.
func (p *plain) TryWrite(b []byte) (int, error) {
	if !p.mu.TryLock() {
		return 0, nil
	}
	defer p.mu.Unlock()
	switch {
	case !p.open:
		return 0, net.ErrClosed
	case p.raw == nil:
		return 0, nil
	}
	return rawtcp.TryWrite(p.raw, b)
}
