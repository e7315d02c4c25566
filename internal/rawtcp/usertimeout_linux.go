package rawtcp

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setTCPUserTimeout may fail: the heartbeat then finds a dead peer, only later where
// nothing is read.
func setTCPUserTimeout(c *net.TCPConn, d time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	ms := max(int(d.Milliseconds()), 1) // 0 would mean the system's default
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms)
	})
}
