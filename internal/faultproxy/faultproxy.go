// Package faultproxy is a proxy between a node and its Redis, for tests. It can do to
// connections what networks do: cut, stall and garble them.
package faultproxy

import (
	"bytes"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy forwards connections. Any goroutine may call its methods.
type Proxy struct {
	listener net.Listener
	wg       sync.WaitGroup
	back     atomic.Int64 // bytes that the target sent

	mu         sync.Mutex
	target     string
	conns      map[net.Conn]bool // true: of those who connect
	rejecting  bool
	subscribed map[net.Conn]bool
	only       map[net.Conn]bool   // not nil: the stall is of these
	stalled    chan struct{}       // closed when there is no stall; nil: none was
	garble     func([]byte) []byte // what becomes of what the target sends; nil: it stays
	over       bool
}

// Start starts a proxy to an address. It ends with the test.
func Start(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return StartOn(t, l, target)
}

// StartOn is [Start] with a given listener, which may be in a network namespace.
func StartOn(t testing.TB, l net.Listener, target string) *Proxy {
	t.Helper()
	p := &Proxy{target: target, listener: l, conns: make(map[net.Conn]bool), subscribed: make(map[net.Conn]bool)}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
		p.Heal()
		p.Reset()
		p.wg.Wait()
	})
	return p
}

// Addr returns the address on which the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Received returns how many bytes the target has sent.
func (p *Proxy) Received() int64 { return p.back.Load() }

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

func (p *Proxy) serve(c net.Conn) {
	defer c.Close()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	up, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer up.Close()
	if !p.admit(c, up) {
		return
	}
	defer p.leave(c, up)
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(c, up, &p.back) })
	wg.Go(func() { p.copy(up, c, new(atomic.Int64)) })
	wg.Wait()
}

func (p *Proxy) admit(c, up net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rejecting || p.over {
		return false
	}
	p.conns[c], p.conns[up] = true, false
	return true
}

func (p *Proxy) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
		delete(p.subscribed, c)
	}
}

// copy forwards bytes, except during a stall.
func (p *Proxy) copy(to, from net.Conn, count *atomic.Int64) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if bytes.Contains(buf[:n], []byte("subscribe\r\n")) {
			p.mark(from, to)
		}
		count.Add(int64(n))
		p.wait(to)
		if n > 0 {
			if _, err := to.Write(p.changed(to, buf[:n])); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// changed returns the bytes to forward for bytes that came.
func (p *Proxy) changed(to net.Conn, b []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.garble == nil || !p.conns[to] {
		return b
	}
	return p.garble(b)
}

// Garble changes what the target sends from now on by f, until [Proxy.Heal].
func (p *Proxy) Garble(f func([]byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.garble = f
}

// mark records connections as subscribed ones.
func (p *Proxy) mark(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.subscribed[c] = true
	}
}

func (p *Proxy) wait(to net.Conn) {
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

// Reset cuts all connections.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}

// Stall lets nothing through until [Proxy.Heal], and keeps the connections.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

// StallSubscribers stalls the connections that are subscribed now.
func (p *Proxy) StallSubscribers() {
	p.Stall()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.only = maps.Clone(p.subscribed)
}

// StallReplies stalls what comes back over the present connections, except for subscribed
// ones.
func (p *Proxy) StallReplies() {
	p.Stall()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.only = make(map[net.Conn]bool)
	for c, connects := range p.conns {
		p.only[c] = connects && !p.subscribed[c]
	}
}

// Redirect forwards new connections to another target, as if a name got another address.
func (p *Proxy) Redirect(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Away cuts all connections and accepts no new ones until [Proxy.Heal].
func (p *Proxy) Away() {
	p.mu.Lock()
	p.rejecting = true
	p.mu.Unlock()
	p.Reset()
}

// Heal ends the effects of Stall, StallSubscribers, StallReplies, Garble and Away.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rejecting, p.only, p.garble = false, nil, nil
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}
