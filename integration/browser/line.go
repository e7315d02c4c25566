package browser

import (
	"io"
	"net"
	"sync"
	"testing"
)

// line is a way through which a browser reaches a server, and which can break: a
// TCP proxy on a port of its own.
type line struct {
	addr     string // where the browser connects
	server   string
	listener net.Listener
	running  sync.WaitGroup

	// Guarded by mu.
	mu    sync.Mutex
	state lineState
	conns map[net.Conn]bool // both ends of those that are open; true: nothing gets through
}

type lineState int

const (
	whole  lineState = iota
	cut              // connections are reset
	silent           // connections look fine, but nothing gets through
)

func newLine(t testing.TB, server string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{addr: listener.Addr().String(), server: server, listener: listener, conns: make(map[net.Conn]bool)}
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
	l.state = cut
	for c := range l.conns {
		reset(c)
	}
}

// silence lets nothing more through the connections there are, ever, as when a
// laptop has moved to another network. New ones are no better until mend.
func (l *line) silence() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = silent
	for c := range l.conns {
		l.conns[c] = true
	}
}

// mend lets new connections through again.
func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = whole
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

// hold keeps a connection's two ends until they are closed, or resets them when the
// line is cut.
func (l *line) hold(ends ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range ends {
		if l.state == cut {
			reset(c)
			continue
		}
		l.conns[c] = l.state == silent
	}
	return l.state != cut
}

// carry copies one direction and ends both with it.
func (l *line) carry(to, from net.Conn) {
	_, _ = io.Copy(filter{l, to}, from)
	_, _ = to.Close(), from.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, to)
	delete(l.conns, from)
}

// filter swallows what a silent connection would carry.
type filter struct {
	line *line
	to   net.Conn
}

func (f filter) Write(p []byte) (int, error) {
	f.line.mu.Lock()
	quiet := f.line.conns[f.to]
	f.line.mu.Unlock()
	if quiet {
		return len(p), nil
	}
	return f.to.Write(p)
}

// reset ends a connection without a goodbye.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
