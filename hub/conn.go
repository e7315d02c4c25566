package hub

import (
	"cmp"
	"crypto/rand"
	"encoding/base32"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unique"
)

// linger is how long a closed connection may take to write what is queued.
const linger = 5 * time.Second

// ConnOptions describe a new connection.
type ConnOptions struct {
	// ID is the id of the connection, for a protocol with a form of its own. It must not be
	// that of another connection and must be hard to guess. Empty: the hub makes one.
	ID        string
	Transport Transport
	Encoder   Encoder
	// Kind is what the figures for operators are grouped by.
	Kind Kind
	// Answers says that the client answers pings. If it then stays silent for longer than
	// the heartbeat's timeout after a ping, the connection is closed with [ReasonSilent].
	Answers bool
	// User returns the id of the current user of the connection, to which messages to one
	// member are addressed; empty if the user is not known. It must neither block nor call
	// the hub. Nil means that the user is never known.
	User func() string
	// Observer says that this is no client but an operator who watches. It is in no figure about
	// connections and rooms, and a drain by command neither closes nor rejects it,
	// because an operator watches the drain. If it is slow, it loses the oldest messages, whatever the
	// policy of a room says.
	Observer bool
	// OnClose is called exactly once, after the connection was detached from its rooms
	// and before its last bytes are written. May be nil.
	OnClose func(Reason)
}

// Conn is one live client connection of this node. A node has one for each client, so the small
// fields stand beside each other, and what is seldom needed is behind a pointer.
type Conn struct {
	// Static after Connect.
	hub       *Hub
	transport Transport
	try       TryWriter // nil without the ability
	encoder   Encoder
	kind      unique.Handle[Kind]
	user      func() string // may be nil
	onClose   func(Reason)
	answers   bool
	observer  bool
	waits     bool // the transport is a WriteWaiter
	tracks    bool // a subscription has a track; guarded by mu
	stamps    bool // the transport is a Stamper

	slot, place int32 // guarded by heartbeat.mu

	gaps int32 // subscriptions with a gap that the client does not know of yet; guarded by mu

	id     atomic.Pointer[string]   // written by Connect, then by Rename
	former atomic.Pointer[[]string] // the lost connections whose place it takes; nil: none

	heard atomic.Int64 // nanoseconds since the hub's start; written by the transport's reader

	// Guarded by mu.
	mu        sync.Mutex
	flushing  bool // a goroutine owns the transport's Write, or the transport waits
	ending    bool // closed: nothing is queued any more
	settled   bool // sent does not change any more
	subs      []*subscription
	queue     queue
	corked    *[]byte       // see cork; written before the queue
	unwritten []byte        // rest of a write that was cut short; written before the queue
	stuck     time.Duration // since when the transport waits for the space that unwritten needs
	queueFree chan struct{} // closed when the queue has space again; nil if no goroutine waits
	reason    *Reason       // set when ending
	flight    []Standing    // first message by room of what was taken from the queue and is not written; see tracks
	standings []Standing    // set when ending
	trail     *trail        // nil: nobody asks for it
	pinged    time.Duration // the last ping, on the heartbeat's clock; only with tracks
	sent      Sent
	flushed   chan struct{} // made when ending, closed when everything is written
}

// Connect registers a connection. Once [Hub.Drain] or [Hub.Close] has started it returns
// [ErrClosed]; for an observer only if the hub does not accept connections again. It also does if
// another connection has the ID.
func (h *Hub) Connect(o ConnOptions) (*Conn, error) {
	c := &Conn{
		hub: h, transport: o.Transport, encoder: o.Encoder,
		kind: unique.Make(o.Kind), answers: o.Answers, observer: o.Observer, user: o.User, onClose: o.OnClose,
	}
	id := cmp.Or(o.ID, newID())
	c.id.Store(&id)
	c.try, _ = o.Transport.(TryWriter)
	if c.try != nil {
		_, c.waits = o.Transport.(WriteWaiter)
	}
	_, c.stamps = o.Transport.(Stamper)
	c.Heard()
	h.mu.Lock()
	if _, taken := h.conns[id]; taken || h.closed || h.paused && !c.observer {
		h.mu.Unlock()
		return nil, ErrClosed
	}
	h.conns[id] = c
	if c.observer {
		h.observers.Add(1)
	}
	h.wg.Add(1)
	h.beat.add(c)
	h.mu.Unlock()
	return c, nil
}

// newID returns 80 random bits as 16 characters, which cannot be guessed.
func newID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// ID returns the id of the connection, which cannot be guessed: that of its options, or 16
// characters a-z and 2-7. It changes with [Hub.Rename] alone.
func (c *Conn) ID() string { return *c.id.Load() }

// Heard notes that something arrived from the client.
func (c *Conn) Heard() { c.heard.Store(int64(c.hub.beat.now())) }

// Unread notes that nothing is read from the client until [Conn.Heard]. Meanwhile its
// answers wait unread, and it does not count as silent.
func (c *Conn) Unread() { c.heard.Store(math.MaxInt64) }

// Yield is called before the reader of the client waits for something, or works for long, so that
// other clients do not wait for it: see [Yielder].
func (c *Conn) Yield() {
	if y, ok := c.transport.(Yielder); ok {
		y.Yield()
	}
}

// Channels returns the channels the connection is subscribed to.
func (c *Conn) Channels() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, len(c.subs))
	for i, s := range c.subs {
		names[i] = s.channel
	}
	return names
}

// Send queues an event for this connection alone. It never blocks: if the queue is full,
// the connection is closed with [ReasonSlow].
func (c *Conn) Send(ev Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send(ev)
}

// send is Send with mu held.
func (c *Conn) send(ev Event) {
	switch {
	case c.ending:
	case c.sendsAtOnce():
		c.sendNow(ev)
	default:
		c.enqueue(nil, ev, c.encoder.AppendEvent(nil, ev), SlowDisconnect)
		c.pump()
	}
}

// ping queues a heartbeat.
func (c *Conn) ping() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.notePing()
		c.tellAllProgress()
		c.queue.push(item{frame: c.encoder.AppendPing(nil), exempt: true})
		c.pump()
	}
}

// Close closes the connection. What is queued is still written, and then what the Encoder
// appends for r, unless the client is gone or too slow. After five seconds the rest is
// dropped. The first reason counts. Close does not wait.
func (c *Conn) Close(r Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(r)
}

// end is Close with mu held.
func (c *Conn) end(r Reason) {
	if c.ending {
		return
	}
	c.noteStandings(r)
	c.endTrail()
	c.ending, c.reason, c.flushed = true, &r, make(chan struct{})
	if r == ReasonSlow {
		c.countDropped(SlowDisconnect)
	}
	if dropsQueue(r) {
		c.queue = queue{}
	}
	if r != ReasonLost {
		c.queue.push(item{frame: c.closeFrame(r), exempt: true})
	}
	c.wakeQueueWaiters()
	go c.finish(c.subs)
	c.subs = nil
	c.pump()
}

// closeFrame encodes the end of the connection. It is empty if the encoder panics: the
// connection ends all the same.
func (c *Conn) closeFrame(r Reason) []byte {
	defer c.hub.survive("the encoding of a close")
	return c.encoder.AppendClose(nil, r)
}

// finish detaches the connection from its rooms and closes the transport.
func (c *Conn) finish(subs []*subscription) {
	defer c.hub.wg.Done()
	defer c.settle() // not before the last write, which counts as well
	defer c.hub.survive("the end of a connection")
	defer c.transport.Close()
	for _, s := range subs {
		c.leave(s)
	}
	c.hub.removeConn(c)
	c.callOnClose()
	give := time.NewTimer(linger)
	defer give.Stop()
	select {
	case <-c.flushed:
	case <-give.C:
	}
}

// leave ends a subscription. A panic of the broker costs no other one anything.
func (c *Conn) leave(s *subscription) {
	defer c.hub.survive("the end of a subscription")
	c.hub.leaveRoom(s)
}

// callOnClose calls onClose. If that panics, the client still gets its last bytes.
func (c *Conn) callOnClose() {
	defer c.hub.survive("what follows the end of a connection")
	if c.onClose != nil {
		c.onClose(*c.reason)
	}
}

func (h *Hub) removeConn(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c.ID())
	if c.observer {
		h.observers.Add(-1)
	}
}
