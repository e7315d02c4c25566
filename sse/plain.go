package sse

import (
	"net"
	"net/http"
	"syscall"

	"github.com/caddy-realtime/caddy-realtime/internal/rawtcp"
)

// plain is a hijacked connection without TLS that the poller can not wait for. It can write
// without waiting.
type plain struct{ hijacked }

func newPlain(r *http.Request, o Options) *plain {
	return &plain{hijacked{hub: o.Registry.Hub(), userTimeout: o.UserTimeout, bare: o.connOf(r), gate: newGate()}}
}

// plainSocket returns the socket of conn; nil if conn is no plain socket, because a listener of
// the server has wrapped it.
func plainSocket(conn net.Conn) syscall.RawConn {
	var raw syscall.RawConn
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

// TryWrite writes what the socket takes at once. It writes nothing before the response
// has started, while another write waits, and where there is no plain socket.
func (p *plain) TryWrite(b []byte) (int, error) {
	return p.gate.tryWrite(func() (int, error) {
		if p.raw == nil {
			return 0, nil
		}
		return rawtcp.TryWrite(p.raw, b)
	})
}
