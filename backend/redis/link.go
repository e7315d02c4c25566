package redis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// handler is what a Pub/Sub channel is for.
type handler interface {
	// receive takes what was published. It must not block.
	receive(payload string)
	// subscribed is told that nothing published from now on is missed, each time
	// that begins. It must not block.
	subscribed()
}

// topic is one Pub/Sub channel that somebody on this node wants.
type topic struct {
	name    string
	handler handler // set when it is made

	// Guarded by link.mu.
	refs      int
	idleSince time.Time // since when refs is 0
	ready     chan struct{}
	live      bool // ready is closed
}

// link is the subscribed connection of a node, whatever connections it consists of
// over time, and all that is to be subscribed on it.
type link struct {
	c *shard

	connections atomic.Uint64
	silentConns atomic.Uint64

	mu        sync.Mutex
	topics    map[string]*topic
	conn      *conn     // nil: there is none
	downSince time.Time // since when; zero: there is a connection
	closed    bool
}

func newLink(c *shard) *link {
	return &link{c: c, topics: make(map[string]*topic), downSince: time.Now()}
}

// acquire counts one up for a topic, and makes it if there is none.
func (l *link) acquire(name string, open func() handler) (*topic, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, hub.ErrClosed
	}
	t := l.topicNamed(name)
	if t.refs++; t.handler == nil {
		t.handler = open()
		l.subscribe(t)
	}
	return t, nil
}

// release counts one down; the topic may be acquired only later.
func (l *link) release(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	t := l.topicNamed(name)
	if t.refs--; t.refs == 0 {
		t.idleSince = time.Now()
	}
}

func (l *link) topicNamed(name string) *topic {
	t := l.topics[name]
	if t == nil {
		t = &topic{name: name, ready: make(chan struct{}), idleSince: time.Now()}
		l.topics[name] = t
	}
	return t
}

// want has a topic subscribed on the connection there is. Needs mu.
func (l *link) subscribe(t *topic) {
	if l.conn != nil {
		l.conn.queueChange(t.name, true)
	}
}

// find returns the handler of a topic, or nil.
func (l *link) findHandler(name string) handler {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.topics[name]; t != nil {
		return t.handler
	}
	return nil
}

// live reports whether a topic is subscribed.
func (l *link) isLive(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.topics[name]
	return t != nil && t.live
}

// await waits until a topic is subscribed. False: it is not, and may not be soon.
func (l *link) awaitLive(ctx context.Context, t *topic) (bool, error) {
	l.mu.Lock()
	ready, live := t.ready, t.live
	patience := 2 * l.c.o.Timeout
	if !l.downSince.IsZero() && time.Since(l.downSince) > patience {
		patience = 0 // it has been away for long
	}
	l.mu.Unlock()
	if live {
		return true, nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ready:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	case <-l.c.ctx.Done():
		return false, hub.ErrClosed
	}
}

// confirmed is told by the connection's reader that a topic is subscribed on it. The
// handler is told first, and those that wait for the topic afterwards: a room whose
// position is read before its handler is told would be compared needlessly.
func (l *link) confirmed(name string) {
	l.mu.Lock()
	t := l.topics[name]
	if t == nil || t.live {
		l.mu.Unlock()
		return
	}
	h := t.handler
	l.mu.Unlock()
	if h != nil {
		h.subscribed()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.live = true
	close(t.ready)
}

// opened makes k the connection and has everything subscribed on it.
func (l *link) useConn(k *conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return hub.ErrClosed
	}
	l.conn, l.downSince = k, time.Time{}
	l.connections.Add(1)
	for name, t := range l.topics {
		if t.handler != nil {
			k.queueChange(name, true)
		}
	}
	return nil
}

// lost notes that the connection is over.
func (l *link) dropConn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.downSince.IsZero() {
		l.downSince = time.Now()
	}
	l.conn = nil
	for _, t := range l.topics {
		if t.live {
			t.live, t.ready = false, make(chan struct{})
		}
	}
}

// run keeps a connection until the client is closed.
func (l *link) keepConnected() {
	var b backoff
	for l.c.ctx.Err() == nil {
		began := time.Now()
		err := l.serveConn(&b)
		l.dropConn()
		if l.c.ctx.Err() != nil {
			return
		}
		l.c.primary.refreshSlots()
		if time.Since(began) > 10*time.Second {
			b.reset()
		}
		if b.n == 0 || errors.Is(err, errSilent) {
			l.c.log.Warn("the subscription to Redis is lost, reconnecting", "error", err)
		}
		l.c.pause(b.next())
	}
}

// sweepUntilClosed unsubscribes from what was not used for long.
func (l *link) unsubscribeIdleUntilClosed() {
	for l.c.pause(l.c.o.Linger / 4) {
		l.unsubscribeIdle(time.Now().Add(-l.c.o.Linger))
	}
}

func (l *link) unsubscribeIdle(before time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, t := range l.topics {
		// One that is about to be subscribed stays, so that no confirmation comes for
		// a topic that was forgotten and made again.
		if t.refs != 0 || t.idleSince.After(before) || t.handler != nil && l.conn != nil && !t.live {
			continue
		}
		delete(l.topics, name)
		if l.conn != nil && t.live {
			l.conn.queueChange(name, false)
		}
	}
}

// each calls f with every handler.
func (l *link) eachHandler(f func(handler)) {
	l.mu.Lock()
	hs := make([]handler, 0, len(l.topics))
	for _, t := range l.topics {
		if t.handler != nil {
			hs = append(hs, t.handler)
		}
	}
	l.mu.Unlock()
	for _, h := range hs {
		f(h)
	}
}

// close ends the connection; run returns then.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn != nil {
		l.conn.abort(hub.ErrClosed)
	}
}

func (l *link) stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Connected: l.conn != nil, Channels: len(l.topics),
		Connections: l.connections.Load(), Silent: l.silentConns.Load(),
	}
}
