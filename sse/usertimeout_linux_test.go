package sse_test

import (
	"net"
	"net/http"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestGoneClientsAreNoticed looks for the time after which the kernel gives a client
// up that acknowledges nothing. A stream in its handler was without it: nobody
// noticed that its client was gone until the kernel's own patience was over.
func TestGoneClientsAreNoticed(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			files := make(chan *os.File, 1)
			s := newSite(t, config{way: w, around: func(h http.Handler) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					files <- fileOf(t, r)
					h.ServeHTTP(w, r)
				}
			}})
			s.open("channel=kept:1").begin(1)
			file := <-files
			defer func() { _ = file.Close() }()
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
}

// fileOf returns a descriptor of the test's own for the connection of a request: the server may
// close its one when it takes the connection over.
func fileOf(t *testing.T, r *http.Request) *os.File {
	conn := r.Context().Value(connKey{}).(net.Conn)
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = c.NetConn()
	}
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Error(err)
	}
	return file
}
