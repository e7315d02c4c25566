package poller

import (
	"net"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// pair returns both ends of a connection.
func pair(t testing.TB) (conn, client *Conn) {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return own(p, fds[0]), own(p, fds[1])
}

// ends returns both ends of a connection: the first one was taken over, and the other one is a
// client of package net. They are closed with the test.
func ends(t testing.TB) (*Conn, net.Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ends := make([]net.Conn, 2)
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	c := Take(ends[0])
	if c == nil {
		t.Fatal("not taken")
	}
	_ = ends[0].Close()
	t.Cleanup(func() { _, _ = c.Close(), ends[1].Close() })
	return c, ends[1]
}

// listener is a Handler that hands on what it reads.
type listener struct {
	conn *Conn
	got  chan string // closed at the end
	once sync.Once
}

func listen(t testing.TB, c *Conn) *listener {
	t.Helper()
	l := &listener{conn: c, got: make(chan string, 100)}
	if err := c.Start(l); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *listener) Readable() {
	buf := make([]byte, 4)
	for more := true; more; more = l.conn.Left() {
		n, err := l.conn.TryRead(buf)
		switch {
		case err != nil:
			l.once.Do(func() { close(l.got) })
			return
		case n == 0:
			return
		}
		l.got <- string(buf[:n])
	}
}
