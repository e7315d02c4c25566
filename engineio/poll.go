package engineio

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// A poll that is held when its configuration ends goes on as before, and is answered a while after that. At
// the end itself the server of the old configuration still has a listener: a client that polls
// again at once may get to it, and its connection is closed without an answer, which ends the
// session. The spread keeps the clients from coming all at the same time.
const (
	overAfter  = 2 * time.Second
	overSpread = 3 * time.Second
)

// poll is a GET that is held until there is something to answer.
type poll struct {
	bell chan struct{} // says that something has changed; static

	// Guarded by carrier.mu.
	answer []byte // packets
	full   bool   // what the hub has beside is for the next poll
}

func newPoll() *poll { return &poll{bell: make(chan struct{}, 1)} }

// ring wakes the handler of the poll.
func (g *poll) ring() {
	select {
	case g.bell <- struct{}{}:
	default: // it will look in any case
	}
}

// serveGet answers a poll.
func (c *carrier) serveGet(w http.ResponseWriter, r *http.Request, o *Options) error {
	g, refused := c.hold()
	if refused == errOverlap {
		c.fail(broken("two polls at a time"))
	}
	if refused != nil {
		return o.refuse(w, r, refused)
	}
	if o.KeepStream != nil {
		o.KeepStream(w, r) // a poll is held longer than a request may take
	}
	err := c.await(r.Context(), g, o.Over)
	if err == nil {
		err = o.answer(w, r, contentPackets, g.answer)
	}
	if err != nil {
		c.session.Conn().Close(hub.ReasonLost)
	}
	return nil
}

// hold makes a GET the poll that is held.
func (c *carrier) hold() (*poll, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone:
		return nil, errSession
	case c.link != nil:
		return nil, errRequest
	case c.poll != nil:
		return nil, errOverlap
	}
	c.poll = newPoll()
	if c.ending {
		c.poll.answer, c.last = c.last, nil
		c.end(c.poll)
	}
	return c.poll, nil
}

// await waits for the answer to a poll. What the hub has queued goes into it, up to about maxAnswer.
// The error is that of ctx: the client has gone.
func (c *carrier) await(ctx context.Context, g *poll, over <-chan struct{}) error {
	var late <-chan time.Time
	for {
		f, done := c.look(g)
		switch {
		case f != nil:
			c.resume(f, nil)
			continue
		case done:
			return nil
		}
		select {
		case <-g.bell:
		case <-over:
			over, late = nil, time.After(overAfter+rand.N(overSpread))
		case <-late:
			c.release()
		case <-ctx.Done():
			c.mu.Lock()
			c.poll = nil
			c.mu.Unlock()
			return ctx.Err()
		}
	}
}

// look returns what the hub waits with, if the answer has space, and otherwise whether the answer is complete. Then the poll is not
// held any more.
func (c *carrier) look(g *poll) (f func(error), done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !g.full {
		f = c.takeWaiting()
	}
	if done = f == nil && len(g.answer) > 0; done {
		c.poll = nil
	}
	return f, done
}

// release answers a poll whose configuration has ended. The client polls again by the next one.
func (c *carrier) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nudge()
}
