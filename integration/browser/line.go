package browser

import (
	"io"
	"net"
	"sync"
	"testing"
)

// line is a way through which a browser reaches a server, and which can be cut: a
// TCP proxy on a port of its own.
type line struct {
	addr     string // where the browser connects
	server   string
	listener net.Listener
	running  sync.WaitGroup

	// Guarded by mu.
	mu     sync.Mutex
	broken bool
	conns  map[net.Conn]struct{} // both ends of those that are open
}

func newLine(t testing.TB, server string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{addr: listener.Addr().String(), server: server, listener: listener, conns: make(map[net.Conn]struct{})}
	l.running.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
		l.running.Wait()
	})
	return l
}

// cut resets all connections, and from now on each new one, at once.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	for c := range l.conns {
		reset(c)
	}
	clear(l.conns)
}

// mend lets connections through again.
func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = false
}

func (l *line) accept() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.server)
		if err != nil {
			reset(from)
			continue
		}
		if l.hold(from, to) {
			l.running.Go(func() { l.carry(to, from) })
			l.running.Go(func() { l.carry(from, to) })
		}
	}
}

// hold keeps a connection's two ends for cut, or resets them when the line is
// broken.
func (l *line) hold(ends ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range ends {
		if l.broken {
			reset(c)
			continue
		}
		l.conns[c] = struct{}{}
	}
	return !l.broken
}

// carry copies one direction and ends both with it.
func (l *line) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), from.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, to)
	delete(l.conns, from)
}

// reset ends a connection without a goodbye.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
