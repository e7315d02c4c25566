package hub

import (
	"crypto/rand"
	"encoding/base32"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// linger is how long a connection that ends may take to write what is queued.
const linger = 5 * time.Second

// ConnOptions describe a new connection.
type ConnOptions struct {
	Transport Transport
	Encoder   Encoder
	// Answers says that the peer answers pings. If it does and stays silent for
	// longer than the heartbeat's timeout after a ping, it is closed with
	// [ReasonSilent].
	Answers bool
	// User gives the id of the user at the other end at present, by which messages
	// to one member find it; empty: nobody knows. It must neither block nor call the
	// hub. Nil: nobody ever knows.
	User func() string
	// OnClose is called exactly once, after the connection has left its rooms and
	// before its last bytes are written. May be nil.
	OnClose func(Reason)
}

// Conn is one live client connection of this node.
type Conn struct {
	// Static after Connect.
	hub       *Hub
	id        string
	transport Transport
	try       TryWriter // nil without the ability
	stamper   Stamper   // nil without the ability
	encoder   Encoder
	answers   bool
	user      func() string // may be nil
	onClose   func(Reason)

	heard atomic.Int64 // nanoseconds since the hub's start; written by the transport's reader

	slot, place int // guarded by heartbeat.mu

	// Guarded by mu.
	mu       sync.Mutex
	subs     []*subscription
	queue    queue
	gaps     int           // subscriptions with a gap that is not told yet
	unwritten     []byte        // of a write that was cut short; goes out before the queue
	flushing bool          // a goroutine owns the transport's Write
	queueFree   chan struct{} // closed when the queue has space again; nil when nobody waits
	ending   bool          // closed: nothing is queued any more
	reason   Reason
	flushed  chan struct{} // made when ending, closed when everything is written
}

// Connect registers a connection. After [Hub.Drain] or [Hub.Close] has begun it
// returns [ErrClosed].
func (h *Hub) Connect(o ConnOptions) (*Conn, error) {
	c := &Conn{
		hub: h, id: newID(), transport: o.Transport, encoder: o.Encoder,
		answers: o.Answers, user: o.User, onClose: o.OnClose,
	}
	c.try, _ = o.Transport.(TryWriter)
	c.stamper, _ = o.Transport.(Stamper)
	c.Heard()
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, ErrClosed
	}
	h.conns[c.id] = c
	h.wg.Add(1)
	h.beat.add(c)
	h.mu.Unlock()
	return c, nil
}

// newID returns 80 random bits as 16 characters, which nobody guesses.
func newID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// ID names the connection: 16 characters a-z and 2-7, unguessable.
func (c *Conn) ID() string { return c.id }

// Heard tells the hub that something arrived from the peer.
func (c *Conn) Heard() { c.heard.Store(int64(c.hub.beat.now())) }

// Unread tells the hub that nothing of the peer is read for a while, until
// [Conn.Heard]. Its answers wait, and it does not count as silent.
func (c *Conn) Unread() { c.heard.Store(math.MaxInt64) }

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

// Send queues an event for this connection alone. It never blocks: a connection
// whose queue is full is closed with [ReasonSlow].
func (c *Conn) Send(ev Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.enqueue(nil, ev, c.encoder.AppendEvent(nil, ev), SlowDisconnect)
		c.pump()
	}
}

// ping queues a heartbeat.
func (c *Conn) ping() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.queue.push(item{frame: c.encoder.AppendPing(nil), exempt: true})
		c.pump()
	}
}

// deliver sends a broadcast to a member.
func (c *Conn) deliver(s *subscription, b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ending || s.phase == gone:
	case s.phase == joining:
		set := c.hub.settings.Load()
		s.held.hold(b.eventsFor(c), set.QueueMessages, set.QueueBytes)
	case !b.selective && c.takesSharedBytes(s):
		f := b.form(c)
		if n, err := c.try.TryWrite(f.bytes); err != nil {
			c.endLost()
		} else if n < len(f.bytes) {
			c.queueRest(s, b, n)
		}
		c.pump()
	default:
		c.deliverEach(s, b, 0)
		c.pump()
	}
}

// takesSharedBytes reports whether the shared bytes of a batch can go to the transport as
// they are, without the queue.
func (c *Conn) takesSharedBytes(s *subscription) bool {
	return c.try != nil && c.stamper == nil && s.from.IsZero() && !s.gap && c.idle()
}

func (c *Conn) idle() bool { return !c.flushing && len(c.unwritten) == 0 && c.queue.empty() }

// queueRest goes on behind the n bytes of a batch that the transport has taken. The rest
// of an event that it took in part must follow; what comes behind it waits in the queue,
// under its limits.
func (c *Conn) queueRest(s *subscription, b *batch, n int) {
	f := b.form(c)
	i, in := f.cut(n)
	if in {
		c.unwritten = f.bytes[n:f.ends[i]:f.ends[i]] // shared with other connections
		i++
	}
	c.deliverEach(s, b, i)
}

// deliverEach queues the events of a batch from one on.
func (c *Conn) deliverEach(s *subscription, b *batch, from int) {
	f := b.form(c)
	for i := from; i < len(b.events); i++ {
		ev := b.events[i]
		switch ev := ev.(type) {
		case *Message:
			if !c.addressed(ev) || ev.Direct == nil && !c.startAt(s, ev.Position) {
				continue
			}
		case Gap:
			if ev.Position.Epoch == s.from.Epoch && ev.Position.Offset <= s.from.Offset && !s.from.IsZero() {
				continue // it began behind what is missing
			}
			if !s.from.IsZero() {
				s.from = ev.Position // what follows is announced already
			}
		case Selective:
			if !ev.Concerns(s.interests) {
				continue
			}
		case Personal:
			if own := ev.For(c.id); own != nil {
				c.enqueue(s, own, c.encoder.AppendEvent(nil, own), b.slow)
				continue
			}
		}
		c.enqueue(s, ev, f.event(i), b.slow)
	}
}

// startAt checks a message against the position a subscription began at. Once a
// message was wanted, the room's own order is enough.
func (c *Conn) startAt(s *subscription, p Position) bool {
	wanted, hole := positionFits(s.from, p)
	if !wanted {
		return false
	}
	if hole {
		gap := Gap{s.channel, Position{Epoch: p.Epoch, Offset: p.Offset - 1}}
		c.enqueue(s, gap, c.encoder.AppendEvent(nil, gap), SlowDisconnect)
	}
	s.from = Position{}
	return true
}

// Close ends the connection. What is queued is still written, then what the
// Encoder appends for r, unless the peer is gone or too slow for it; after five
// seconds it is given up. The first reason wins. Close does not wait.
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
	c.ending, c.reason, c.flushed = true, r, make(chan struct{})
	if r == ReasonSlow || r == ReasonSilent || r == ReasonLost {
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

// finish takes the connection out of everything and ends the transport.
func (c *Conn) finish(subs []*subscription) {
	defer c.hub.wg.Done()
	defer c.hub.survive("the end of a connection")
	defer c.transport.Close()
	for _, s := range subs {
		c.leave(s)
	}
	c.hub.beat.remove(c)
	c.hub.removeConn(c)
	c.tellClosed()
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

// tellClosed calls onClose; a mistake there does not take the last words from the peer.
func (c *Conn) tellClosed() {
	defer c.hub.survive("what follows the end of a connection")
	if c.onClose != nil {
		c.onClose(c.reason)
	}
}

func (h *Hub) removeConn(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c.id)
}
