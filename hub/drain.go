package hub

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// drainInterval is the time between two groups of connections that are closed.
	drainInterval = 100 * time.Millisecond
	// returnRate is how many clients per second another node should be able to take. The
	// times at which the clients are asked to reconnect are spread accordingly.
	returnRate = 300
)

// Drain closes the connections, spread over window: each gets a [Reconnect] with a time of
// its own and is closed with [ReasonRestart]. From now on [Hub.Connect] fails. When ctx
// ends, the remaining connections are closed at once.
func (h *Hub) Drain(ctx context.Context, window time.Duration) {
	conns := h.stopAccepting()
	if len(conns) == 0 {
		return
	}
	after := returnWindow(len(conns), window)
	steps := max(int(window/drainInterval), 1)
	tick := time.NewTicker(drainInterval)
	defer tick.Stop()
	for step := range steps {
		for _, c := range share(conns, step, steps) {
			c.sendAway(after)
		}
		if step == steps-1 || ctx.Err() != nil {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// sendAway ends the connection with the advice to come back within a time. A panic costs
// the advice, and no other connection anything.
func (c *Conn) sendAway(within time.Duration) {
	defer c.hub.survive("the drain of a connection")
	defer c.Close(ReasonRestart)
	c.Send(Reconnect{After: rand.N(within), Reason: ReasonRestart.Text})
}

// returnWindow returns the time over which n clients are asked to reconnect.
func returnWindow(n int, window time.Duration) time.Duration {
	return max(window, time.Second, time.Duration(n)*time.Second/returnRate)
}

// share returns the part of s that is due in one of several steps.
func share[T any](s []T, step, steps int) []T {
	return s[len(s)*step/steps : len(s)*(step+1)/steps]
}
