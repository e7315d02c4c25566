package rawtcp

import (
	"net"

	"golang.org/x/sys/unix"
)

// SetCork makes the kernel keep what is written to a TCP connection, for 200 milliseconds at most,
// until SetCork(conn, false) sends it. Several writes then leave in one packet. If the kernel
// rejects it, they leave in several.
func SetCork(conn net.Conn, on bool) {
	c, ok := Bare(conn).(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	value := 0
	if on {
		value = 1
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, value)
	})
}
