package sse_test

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// TestGoneClientsAreNoticed looks for the time after which the kernel gives a client
// up that acknowledges nothing. A stream in its handler was without it: nobody
// noticed that its client was gone until the kernel's own patience was over.
func TestGoneClientsAreNoticed(t *testing.T) {
	t.Parallel()
	overEachWay(t, config{}, func(t *testing.T, s *site) {
		stream := s.open("channel=kept:1")
		conn := <-s.conns
		if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = c.NetConn()
		}
		// A descriptor of the test's own: the server may close its one when it takes the
		// connection over.
		file, err := conn.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		stream.begin(1)
		raw, err := file.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var ms int
		if e := raw.Control(func(fd uintptr) {
			ms, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		}); e != nil || err != nil || ms != 60_000 {
			t.Errorf("%d ms, %v, %v", ms, e, err)
		}
	})
}
