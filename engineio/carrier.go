package engineio

import (
	"bytes"
	"net"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// maxAnswer is about how much the answer to one poll gathers.
const maxAnswer = 64 << 10

// carrier is the transport of one session that began with polls, and may go on over a WebSocket.
// There is one queue, that of the hub, and its frames are those of a WebSocket: a poll gets them as
// packets. While no poll is held, the hub waits, as for a socket that is full. So the queue has the bounds of every
// other connection, and nothing runs for a client who is not there.
type carrier struct {
	// Static after the handshake.
	sessions *Sessions
	registry *session.Registry
	sid      string
	client   session.Caller
	session  *session.Session

	mu sync.Mutex
	// Guarded by mu.
	poll    *poll       // the GET that is held; nil: none
	posting bool        // a POST is being handled
	waiting func(error) // the hub waits until it can write; nil: it does not
	probe   *probe      // the WebSocket that may take over; nil: none
	probes  int         // how many there were
	link    hub.Transport
	direct  directLink // link, if it writes without waiting
	since   time.Time  // of the upgrade; static after it
	writing bool       // a goroutine writes to link
	closed  bool       // the hub has finished
	gone    bool       // the client has said that it leaves, or has got the end
	ending  bool       // a coming poll gets the end
	last    []byte     // packets for the next poll, before the end
}

// directLink is a link that needs no goroutine: what it does not take waits in the poller.
type directLink interface {
	hub.Transport
	hub.TryWriter
	hub.WriteWaiter
}

var _ directLink = (*carrier)(nil)

// Write is never called: a carrier is a TryWriter that waits by itself.
func (c *carrier) Write([]byte) error { return net.ErrClosed }

// TryWrite implements [hub.TryWriter]. A poll takes all of p or nothing, so that p never begins
// inside of a frame.
func (c *carrier) TryWrite(p []byte) (int, error) {
	c.mu.Lock()
	if d := c.direct; d != nil {
		c.mu.Unlock()
		return d.TryWrite(p)
	}
	defer c.mu.Unlock()
	switch {
	case c.link != nil:
		return c.writeInTurn(p)
	case c.gone, c.take(p):
		return len(p), nil
	}
	return 0, nil
}

// take hands frames to the poll that is held. Without one it keeps only the end, and drops the
// open packet. Needs mu.
func (c *carrier) take(p []byte) bool {
	g, end := c.poll, isEnd(p)
	switch {
	case g != nil:
	case end:
		c.last, c.ending = appendFrames(c.last, p), true
		return true
	default:
		return isOpen(p)
	}
	if g.full = len(g.answer) > 0 && len(g.answer)+len(p) > maxAnswer; g.full {
		return false
	}
	g.answer = appendFrames(g.answer, p)
	if end {
		c.end(g)
	}
	g.ring()
	return true
}

// end answers a poll with the end, unless it has packets: clients act on an end before they act on
// packets that came with it. Then the next poll gets the end. Needs mu.
func (c *carrier) end(g *poll) {
	if c.ending = len(g.answer) > 0; !c.ending {
		g.answer, c.gone = appendPacket(nil, packetClose), true
	}
	g.full = true // nothing comes behind the end
}

// WhenWritable implements [hub.WriteWaiter]. A client may take as long to poll again as the
// heartbeat lets it.
func (c *carrier) WhenWritable(within time.Duration, f func(error)) {
	if d := c.waitInTurn(f); d != nil {
		// The hub may have waited for a poll since long before the upgrade.
		least := c.registry.Hub().Settings().WriteTimeout - time.Since(c.since)
		d.WhenWritable(max(within, least), f)
	}
}

// waitInTurn keeps f until there is a poll, or until a write has ended. It returns the link if that
// waits by itself.
func (c *carrier) waitInTurn(f func(error)) directLink {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.direct != nil:
		return c.direct
	case c.link != nil && !c.writing:
		go c.resume(f, nil)
		return nil
	}
	c.waiting = f
	if c.poll != nil {
		c.poll.ring()
	}
	return nil
}

// resume notifies the hub that it can write, or that it can not any more.
func (c *carrier) resume(f func(error), err error) {
	defer guard.Recover(c.registry.Hub().Settings().Logger, "a write to a client of Engine.IO")
	if f != nil {
		f(err)
	}
}

// takeWaiting returns what the hub waits with. Needs mu.
func (c *carrier) takeWaiting() func(error) {
	f := c.waiting
	c.waiting = nil
	return f
}

// writeInTurn starts a goroutine that writes p to the link, unless one is writing. Needs mu.
func (c *carrier) writeInTurn(p []byte) (int, error) {
	if c.writing {
		return 0, nil
	}
	c.writing = true
	go c.write(c.link, bytes.Clone(p))
	return len(p), nil
}

// write writes to a link whose writes may block. The link bounds their time.
func (c *carrier) write(link hub.Transport, p []byte) {
	defer guard.Recover(c.registry.Hub().Settings().Logger, "a write to a client of Engine.IO")
	err := net.ErrClosed // also after a panic
	defer func() { c.wrote(link, err) }()
	err = link.Write(p)
}

// wrote lets the hub go on after a write.
func (c *carrier) wrote(link hub.Transport, err error) {
	c.mu.Lock()
	c.writing = false
	f, closed := c.takeWaiting(), c.closed
	c.mu.Unlock()
	if closed {
		link.Close()
	}
	if err != nil {
		c.session.Conn().Close(hub.ReasonLost)
	}
	if f != nil {
		f(err)
	}
}

// Close implements [hub.Transport]. A poll that is held gets the end. If there is none, the next one
// does.
func (c *carrier) Close() {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	f, link, probe, idle := c.takeWaiting(), c.link, c.takeProbe(), !c.writing
	keep := !again && link == nil && !c.gone && c.endPoll()
	c.mu.Unlock()
	if link != nil && idle {
		link.Close()
	}
	if probe != nil {
		probe.link.Close()
	}
	switch {
	case keep:
		c.sessions.removeAfter(keepEnd, c)
	case !again:
		c.sessions.remove(c)
	}
	if f != nil {
		f(net.ErrClosed)
	}
}

// endPoll answers the poll that is held. It returns true if the end is kept for another one. Needs mu.
func (c *carrier) endPoll() bool {
	c.ending = true
	if g := c.poll; g != nil {
		c.end(g)
		g.ring()
	}
	return c.ending
}

// leave ends the session for a client that has said so. A poll that is held is answered.
func (c *carrier) leave() {
	c.mu.Lock()
	c.gone = true
	c.nudge()
	f := c.takeWaiting()
	c.mu.Unlock()
	c.sessions.remove(c)
	c.session.Conn().Close(hub.ReasonNormal)
	if f != nil {
		f(nil)
	}
}

// nudge answers the poll that is held with a packet without meaning, unless it gets another
// answer. Needs mu.
func (c *carrier) nudge() {
	if g := c.poll; g != nil && len(g.answer) == 0 {
		g.answer = append(g.answer, packetNoop)
		g.ring()
	}
}

// fail ends the session for what its client did.
func (c *carrier) fail(why hub.Reason) { c.session.Conn().Close(why) }
