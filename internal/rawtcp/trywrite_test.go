package rawtcp

import (
	"io"
	"net"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// tcp returns both ends of a connection.
func tcp(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close(), s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func TestTryWrite(t *testing.T) {
	if !CanTryWrite {
		return
	}
	t.Parallel()
	near, far := tcp(t)
	raw, err := near.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for chunk := make([]byte, 64<<10); ; {
		n, err := TryWrite(raw, chunk)
		if err != nil {
			t.Fatal(err)
		}
		if sent += n; n < len(chunk) {
			break // the socket is full, and the call came back
		}
	}
	read := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, far)
		read <- n
	}()
	_ = near.CloseWrite()
	if got := <-read; got != int64(sent) {
		t.Errorf("%d bytes arrived of %d", got, sent)
	}
	_ = near.Close()
	if _, err := TryWrite(raw, []byte("x")); err == nil {
		t.Error("no error on a closed socket")
	}
}
