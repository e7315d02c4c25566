package redis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// handler takes what arrives on one Pub/Sub channel.
type handler interface {
	// receive takes what was published. It must not block.
	receive(payload string)
	// subscribed is called each time the channel is subscribed: from now on nothing that is
	// published is missed. It must not block.
	subscribed()
}

// channelHandler is a [handler] of a pattern that needs to know the channel. It takes the place of receive.
type channelHandler interface {
	receiveFrom(channel, payload string)
}

// deliver hands a handler what was published in a channel.
func deliver(h handler, channel, payload string) {
	if from, ok := h.(channelHandler); ok {
		from.receiveFrom(channel, payload)
		return
	}
	h.receive(payload)
}

// patternMark begins the name of a topic that stands for a pattern. No channel has it.
const patternMark = "\x00"

// patternTopic is the name of the topic with everything that is published in channels that match a
// pattern of Redis.
func patternTopic(pattern string) string { return patternMark + pattern }

// topic is one Pub/Sub channel that this node needs, or one pattern of them.
type topic struct {
	name    string
	handler handler // set once, under link.mu

	// Guarded by link.mu.
	refs      int
	idleSince time.Time // since when refs is 0
	ready     chan struct{}
	live      bool // ready is closed
}

// link is a node's subscription to one Redis: all topics, and the connection on which they are
// subscribed. When that connection breaks, keepConnected makes another one and subscribes to
// all topics again.
type link struct {
	c *shard

	connections atomic.Uint64
	silentConns atomic.Uint64

	due dueBroadcasts // owned by the reader of the current connection

	mu        sync.Mutex
	topics    map[string]*topic
	conn      *conn     // nil: there is none
	downSince time.Time // since when there is no connection; zero: there is one
	closed    bool
}

func newLink(c *shard) *link {
	return &link{c: c, topics: make(map[string]*topic), downSince: time.Now()}
}

// acquire adds a reference to a topic. If the topic has no handler, acquire calls open for one
// and subscribes.
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

// release removes a reference. release may be called before acquire.
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

// subscribe subscribes to a topic on the current connection, if there is one. Needs mu.
func (l *link) subscribe(t *topic) {
	if l.conn != nil {
		l.conn.queueChange(t.name, true)
	}
}

// findHandler returns the handler of a topic, or nil.
func (l *link) findHandler(name string) handler {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.topics[name]; t != nil {
		return t.handler
	}
	return nil
}

// isLive reports whether a topic is subscribed.
func (l *link) isLive(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.topics[name]
	return t != nil && t.live
}

// awaitLive waits until a topic is subscribed. It returns false if the topic is not subscribed
// in time.
func (l *link) awaitLive(ctx context.Context, t *topic) (bool, error) {
	l.mu.Lock()
	ready, live := t.ready, t.live
	patience := 2 * l.c.o.Timeout
	if !l.downSince.IsZero() && time.Since(l.downSince) > patience {
		patience = 0 // the connection has been down for long
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

// confirmed is called when Redis confirms that a topic is subscribed. It notifies the handler
// first and then those that wait for the topic. In the other order, a room whose position is
// read in between would be compared without need.
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

// useConn makes k the current connection and subscribes to all topics on it.
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

// dropConn notes that the connection has ended.
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

// keepConnected makes one connection after the other until the client is closed.
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

// unsubscribeIdleUntilClosed regularly unsubscribes from topics that nobody has used for the
// time Linger.
func (l *link) unsubscribeIdleUntilClosed() {
	for l.c.pause(l.c.o.Linger / 4) {
		l.unsubscribeIdle(time.Now().Add(-l.c.o.Linger))
	}
}

func (l *link) unsubscribeIdle(before time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, t := range l.topics {
		// A topic that waits for its confirmation stays. Otherwise the confirmation could
		// arrive for a topic that was deleted and made again.
		if t.refs != 0 || t.idleSince.After(before) || t.handler != nil && l.conn != nil && !t.live {
			continue
		}
		delete(l.topics, name)
		if l.conn != nil && t.live {
			l.conn.queueChange(name, false)
		}
	}
}

// eachHandler calls f with every handler.
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

// close ends the connection. Then keepConnected returns.
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
