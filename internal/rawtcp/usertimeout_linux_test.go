package rawtcp

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestUserTimeout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		wrap func(net.Conn) net.Conn
		d    time.Duration
		want int
	}{
		{"tcp", func(c net.Conn) net.Conn { return c }, 12 * time.Second, 12000},
		{"tls", func(c net.Conn) net.Conn { return tls.Server(c, &tls.Config{}) }, 12 * time.Second, 12000},
		{"off", func(c net.Conn) net.Conn { return c }, 0, 0},
		{"short", func(c net.Conn) net.Conn { return c }, time.Microsecond, 1},
		{"unknown", func(c net.Conn) net.Conn { return struct{ net.Conn }{c} }, 12 * time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, _ := tcp(t)
			SetUserTimeout(c.wrap(conn), c.d)
			raw, err := conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			var got int
			_ = raw.Control(func(fd uintptr) {
				got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
			})
			if got != c.want || err != nil {
				t.Errorf("%d ms, %v; want %d", got, err, c.want)
			}
		})
	}
}
