package freeport

import (
	"net/netip"
	"syscall"
	"testing"
)

// Addr returns an address on 127.0.0.1 on which nothing listens, for a server that is
// started with a given port. Until the end of the test nobody else gets the address, not
// even while the server is down: a socket is bound to it, but does not listen. Servers that
// set SO_REUSEADDR, as nearly all do, can bind to it as well.
func Addr(t testing.TB) string {
	t.Helper()
	fd, addr, err := bind()
	if err != nil {
		t.Fatalf("no free port: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return addr.String()
}

func bind() (fd int, addr netip.AddrPort, err error) {
	host := [4]byte{127, 0, 0, 1}
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, addr, err
	}
	defer func() {
		if err != nil {
			_ = syscall.Close(fd)
		}
	}()
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, addr, err
	}
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: host}); err != nil {
		return 0, addr, err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, addr, err
	}
	return fd, netip.AddrPortFrom(netip.AddrFrom4(host), uint16(name.(*syscall.SockaddrInet4).Port)), nil
}
