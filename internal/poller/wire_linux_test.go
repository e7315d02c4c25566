package poller

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// plain returns both ends of a connection of package net.
func plain(t testing.TB) (a, b net.Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	t.Cleanup(func() { _, _ = ends[0].Close(), ends[1].Close() })
	return ends[0], ends[1]
}

type ring chan struct{}

func (b ring) Readable() { b <- struct{}{} }

// A Watch rings once for each Wait, also for bytes that are there already, and not after Stop.
func TestWatch(t *testing.T) {
	t.Parallel()
	conn, client := plain(t)
	w, rings := NewWatch(tls.Server(conn, nil)), make(ring, 10)
	for _, s := range []string{"a", "b", "", "", "c"} { // nothing is read: the bytes stay on the wire
		send(t, client, s)
		if err := w.Wait(rings); err != nil {
			t.Fatal(err)
		}
		<-rings
	}
	send(t, client, "not waited for")
	w.Stop()
	w.Stop()
	if err := w.Wait(rings); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if len(rings) > 0 {
		t.Error("rang without a Wait")
	}
}

// The end of a connection rings, and a connection that package net has closed can not wait.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	conn, client := plain(t)
	w, rings := NewWatch(tls.Server(conn, nil)), make(ring, 1)
	if err := w.Wait(rings); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	<-rings
	_ = conn.Close()
	if err := w.Wait(rings); err == nil {
		t.Error("a closed connection waits")
	}
	w.Stop()
}

// Only TLS on a bare socket is watched.
func TestWatchesBareSockets(t *testing.T) {
	t.Parallel()
	conn, _ := plain(t)
	if NewWatch(conn) != nil || NewWatch(tls.Server(struct{ net.Conn }{conn}, nil)) != nil {
		t.Error("watched")
	}
}
