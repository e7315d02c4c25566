package redis

import (
	"bytes"
	"maps"
	"net"
	"sync"
	"testing"
)

// proxy stands between a node and its Redis and can do to the connections what
// networks do.
type proxy struct {
	target   string
	listener net.Listener
	wg       sync.WaitGroup

	mu         sync.Mutex
	conns      map[net.Conn]struct{}
	refuse     bool
	subscribed map[net.Conn]bool
	only       map[net.Conn]bool // not nil: the stall is of these
	stalled    chan struct{}     // closed when there is no stall; nil: none was
	over       bool
}

func startProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: target, listener: l, conns: make(map[net.Conn]struct{}), subscribed: make(map[net.Conn]bool)}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
		p.heal()
		p.reset()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer up.Close()
	if !p.admit(c, up) {
		return
	}
	defer p.leave(c, up)
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(c, up) })
	wg.Go(func() { p.copy(up, c) })
	wg.Wait()
}

func (p *proxy) admit(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse || p.over {
		return false
	}
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return true
}

func (p *proxy) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
		delete(p.subscribed, c)
	}
}

// copy moves bytes, but not during a stall.
func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if bytes.Contains(buf[:n], []byte("subscribe\r\n")) {
			p.mark(from, to)
		}
		p.wait(to)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// mark notes connections as subscribed ones.
func (p *proxy) mark(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.subscribed[c] = true
	}
}

func (p *proxy) wait(to net.Conn) {
	p.mu.Lock()
	stalled := p.stalled
	if p.only != nil && !p.only[to] {
		stalled = nil
	}
	p.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
}

// reset cuts all connections.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}

// stall lets nothing through until heal, and keeps the connections.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

// stallSubscribers stalls the connections that are subscribed now.
func (p *proxy) stallSubscribers() {
	p.stall()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.only = maps.Clone(p.subscribed)
}

// away cuts all connections and takes no new ones until heal.
func (p *proxy) away() {
	p.mu.Lock()
	p.refuse = true
	p.mu.Unlock()
	p.reset()
}

func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.only = false, nil
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}
