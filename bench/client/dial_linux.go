package client

import (
	"cmp"
	"syscall"

	"golang.org/x/sys/unix"
)

// lateBind lets connect choose the port, not bind: a port may then be used towards
// several servers at a time.
func lateBind(_, _ string, c syscall.RawConn) (err error) {
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	}); e != nil {
		return e
	}
	return err
}

// smallBuffer lets a client that does not read fill its receive buffer soon.
func smallBuffer(network, address string, c syscall.RawConn) (err error) {
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	}); e != nil || err != nil {
		return cmp.Or(e, err)
	}
	return lateBind(network, address, c)
}
