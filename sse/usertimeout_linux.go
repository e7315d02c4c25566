package sse

import (
	"net"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall lacks.
const tcpUserTimeout = 18

// setUserTimeout has the kernel end a connection whose peer has not acknowledged
// anything for d. A client that vanished would else be written to for a quarter of
// an hour, as long as the socket takes heartbeats. 0 leaves the kernel's own
// limit. It is a matter of cleanliness, so that failure is no error.
func setUserTimeout(conn net.Conn, d time.Duration) {
	if d <= 0 {
		return
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
	})
}
