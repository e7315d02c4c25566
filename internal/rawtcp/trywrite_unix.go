//go:build unix

package rawtcp

import (
	"sync"
	"syscall"
)

// CanTryWrite reports whether TryWrite ever writes anything on this system.
const CanTryWrite = true

// TryWrite writes as much of p as the socket takes at once, and returns how much that was.
// A full socket is not an error. It must not be called while another write waits on the
// same socket, because it would wait behind that write.
func TryWrite(raw syscall.RawConn, p []byte) (int, error) {
	a := attempts.Get().(*attempt)
	a.p, a.n, a.err = p, 0, nil
	err := raw.Write(a.call)
	if err == nil {
		err = a.err
	}
	n := a.n
	a.p = nil
	attempts.Put(a)
	return n, err
}

// attempt is one write. It is pooled with the function that RawConn wants: a closure for
// each write would be the only allocation of a delivery.
type attempt struct {
	p    []byte
	n    int
	err  error
	call func(fd uintptr) (done bool)
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.call = a.write
	return a
}}

// write always returns true, so that RawConn never waits.
func (a *attempt) write(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), a.p)
		switch err {
		case nil:
			a.n = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN: // full
		default:
			a.err = err
		}
		return true
	}
}
