package hub

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// drainInterval is the time between two groups of connections that are closed.
	drainInterval = 100 * time.Millisecond
	// returnRate is how many clients per second another node should be able to take. At exit
	// the times at which the clients are asked to reconnect are spread accordingly.
	returnRate = 300
)

// DrainPlan says how a drain closes the connections.
type DrainPlan struct {
	// Window is the time over which the connections are closed.
	Window time.Duration
	// Lead is a part of Window at its start in which no connection is closed, so that a load
	// balancer notices that this node takes no clients.
	Lead time.Duration
	// Hurry is for the drain before the end: Window is too short for the clients to come back
	// within it, so they are asked to wait for some time of their own. The drain also closes
	// observers, and [Hub.Accept] does not undo it.
	Hurry bool
	// Closed is called for each connection that the drain closes. May be nil.
	Closed func()
}

// Drain closes the connections, spread over a window: each gets a [Reconnect] with a time of
// its own and is closed with [ReasonRestart]. From now on [Hub.Connect] fails, until
// [Hub.Accept]. When ctx ends, Drain returns its error, and the remaining connections stay.
//
// Without Hurry the clients come back evenly over the window: each connection has its own
// moment, and is closed shortly before it.
func (h *Hub) Drain(ctx context.Context, p DrainPlan) error {
	why := &h.paused
	if p.Hurry {
		why = &h.closed
	}
	conns := h.stopAccepting(why)
	if len(conns) == 0 {
		return nil
	}
	rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
	if err := pause(ctx, p.Lead); err != nil {
		return err
	}
	window := p.Window - p.Lead
	steps := max(int(window/drainInterval), 1)
	tick := time.NewTicker(drainInterval)
	defer tick.Stop()
	for step := range steps {
		p.closeGroup(share(conns, step, steps), len(conns))
		if step == steps-1 {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Accept makes Connect work again after a drain without Hurry.
func (h *Hub) Accept() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused = false
}

// closeGroup closes the connections that are due in one step, of all that the drain closes.
func (p *DrainPlan) closeGroup(group []*Conn, all int) {
	for i, c := range group {
		after := drainInterval * time.Duration(i) / time.Duration(len(group))
		if p.Hurry {
			after = rand.N(returnWindow(all, p.Window))
		}
		c.sendAway(after)
		if p.Closed != nil {
			p.Closed()
		}
	}
}

// sendAway ends the connection with the advice to come back after a time. A panic costs the
// advice, and no other connection anything.
func (c *Conn) sendAway(after time.Duration) {
	defer c.hub.survive("the drain of a connection")
	defer c.Close(ReasonRestart)
	c.Send(Reconnect{After: after, Reason: ReasonRestart.Text})
}

// returnWindow returns the time over which n clients are asked to reconnect.
func returnWindow(n int, window time.Duration) time.Duration {
	return max(window, time.Second, time.Duration(n)*time.Second/returnRate)
}

// share returns the part of s that is due in one of several steps.
func share[T any](s []T, step, steps int) []T {
	return s[len(s)*step/steps : len(s)*(step+1)/steps]
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
