package sse

import (
	"net"
	"sync"
	"syscall"
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
	t := attempts.Get().(*attempt)
	defer t.release()
	t.buf = b
	if err := p.raw.Write(t.try); err != nil {
		return 0, err
	}
	return t.n, t.err
}

// attempt is one nonblocking write. They are pooled, because the function that a
// RawConn wants would be allocated for each write.
type attempt struct {
	buf []byte
	n   int
	err error
	try func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	t := new(attempt)
	t.try = func(fd uintptr) bool {
		t.n, t.err = writeOnce(fd, t.buf)
		return true // never wait
	}
	return t
}}

func (t *attempt) release() {
	t.buf = nil
	attempts.Put(t)
}
