//go:build unix

package drills

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"

	"github.com/gorilla/websocket"
)

// valve is between a client and its connections: while it is shut nothing is read
// from them. The connections have the smallest buffers there are, so that the
// server soon notices.
type valve struct {
	mu     sync.Mutex
	opened chan struct{} // closed while the valve is open
}

func newValve() *valve {
	v := &valve{opened: make(chan struct{})}
	close(v.opened)
	return v
}

func (v *valve) shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened = make(chan struct{})
}

func (v *valve) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.opened:
	default:
		close(v.opened)
	}
}

func (v *valve) wait() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.opened
}

// dialer makes WebSockets behind the valve.
func (v *valve) dialer() *websocket.Dialer {
	return &websocket.Dialer{HandshakeTimeout: patience, NetDialContext: v.dial}
}

// client makes event streams behind the valve.
func (v *valve) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: v.dial}}
}

func (v *valve) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Control: smallBuffers}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &valvedConn{Conn: conn, valve: v, closed: make(chan struct{})}, nil
}

// smallBuffers also makes the segments small, because from them the kernel works
// out how much the server's side may buffer.
func smallBuffers(_, _ string, c syscall.RawConn) (err error) {
	control := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		if err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536)
		}
	})
	if control != nil {
		return control
	}
	return err
}

// valvedConn is a connection behind a valve.
type valvedConn struct {
	net.Conn
	valve  *valve
	once   sync.Once
	closed chan struct{}
}

func (c *valvedConn) Read(p []byte) (int, error) {
	select {
	case <-c.valve.wait():
	case <-c.closed:
	}
	return c.Conn.Read(p)
}

func (c *valvedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
