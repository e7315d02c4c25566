package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const (
	// DefaultDrainWindow is how long a commanded drain takes.
	DefaultDrainWindow = 10 * time.Second
	// DefaultExitDrain is how long the drain at exit takes at most: units of packages kill a
	// process 5 s after they asked it to stop.
	DefaultExitDrain = 4 * time.Second
	// MaxDrainWindow bounds a commanded drain.
	MaxDrainWindow = 24 * time.Hour

	// exitPace shortens the drain at exit if there are few connections.
	exitPace = 5 * time.Millisecond
	// leadShare and maxLead say how long a commanded drain closes nothing, so that a load
	// balancer notices that the node is not ready.
	leadShare = 10
	maxLead   = 5 * time.Second
)

// Drain says how long drains take.
type Drain struct {
	// Window is for a drain by command, Exit for the one at exit. 0 means the default.
	Window, Exit time.Duration
}

// ErrDraining is returned by StartDrain while a drain runs.
var ErrDraining = errors.New("node: a drain is running; cancel it first")

// ErrNotDrained is returned by StartDrain if the node can not drain, because its hub has not
// started or is about to end.
var ErrNotDrained = errors.New("node: the hub is not running")

// commandedDrain is a drain by command. Node.mu guards it, except for closed.
type commandedDrain struct {
	state   session.DrainState
	window  time.Duration
	started time.Time
	total   int
	cancel  context.CancelFunc
	closed  atomic.Int64
}

// Drain rejects handshakes and closes the connections, at different times, so that the
// clients do not all arrive elsewhere at once. It is for the exit of the process.
func (n *Node) Drain() {
	n.leaving.Store(true)
	h, most := n.stopCommandedDrain()
	if h != nil {
		window := min(most, time.Duration(h.Conns())*exitPace)
		_ = h.Drain(context.Background(), hub.DrainPlan{Window: window, Hurry: true})
	}
}

// stopCommandedDrain ends a commanded drain because the process exits. It returns the hub,
// nil if there is none, and how long the drain at exit takes at most.
func (n *Node) stopCommandedDrain() (h *hub.Hub, most time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d := n.drain; d != nil && d.state == session.DrainRunning {
		d.cancel()
	}
	most = DefaultExitDrain
	if n.now != nil && n.now.Settings.Drain.Exit > 0 {
		most = n.now.Settings.Drain.Exit
	}
	return n.hub, most
}

// StartDrain starts to close the connections over a window; 0 means the one of the
// configuration. From now on the node is not ready and rejects handshakes, until CancelDrain.
// StartDrain does not wait. Errors: [ErrDraining], [ErrNotDrained], and one for a window that
// is not possible.
func (n *Node) StartDrain(window time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.hub == nil || n.ended || n.leaving.Load():
		return ErrNotDrained
	case n.drain != nil && n.drain.state == session.DrainRunning:
		return ErrDraining
	case window < 0 || window > MaxDrainWindow:
		return fmt.Errorf("node: a drain takes from 0 to %v", MaxDrainWindow)
	case window == 0 && n.now.Settings.Drain.Window > 0:
		window = n.now.Settings.Drain.Window
	case window == 0:
		window = DefaultDrainWindow
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &commandedDrain{
		state: session.DrainRunning, window: window, started: time.Now(), total: n.hub.Conns(), cancel: cancel,
	}
	n.drain = d
	n.draining.Store(true)
	h, log := n.hub, n.hub.Settings().Logger
	log.Info("the drain starts: the node takes no clients", "window", window, "connections", d.total)
	go n.runDrain(ctx, d, h, log)
	return nil
}

// runDrain closes the connections. After a panic the drain counts as cancelled, and the node
// still takes no clients.
func (n *Node) runDrain(ctx context.Context, d *commandedDrain, h *hub.Hub, log *slog.Logger) {
	defer guard.Recover(log, "a commanded drain", func() { n.endDrain(d, session.DrainCancelled) })
	plan := hub.DrainPlan{Window: d.window, Lead: min(d.window/leadShare, maxLead), Closed: func() { d.closed.Add(1) }}
	if h.Drain(ctx, plan) == nil {
		n.endDrain(d, session.DrainDone)
		log.Info("the drain is over: all connections were told to reconnect", "connections", d.closed.Load())
	}
}

// endDrain notes how a drain ended, unless it was cancelled before.
func (n *Node) endDrain(d *commandedDrain, state session.DrainState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d.state == session.DrainRunning {
		d.state = state
	}
}

// CancelDrain ends a commanded drain, also one that is over: the node takes clients again. It
// returns false if there was none.
func (n *Node) CancelDrain() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.draining.Load() || n.ended || n.leaving.Load() {
		return false
	}
	n.drain.state = session.DrainCancelled
	n.drain.cancel()
	n.draining.Store(false)
	n.hub.Accept()
	n.hub.Settings().Logger.Info("the drain was cancelled: the node takes clients again", "closed", n.drain.closed.Load())
	return true
}

// DrainProgress returns how far the latest commanded drain is.
func (n *Node) DrainProgress() session.Drain {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.drainProgress()
}

// drainProgress needs mu.
func (n *Node) drainProgress() session.Drain {
	p := session.Drain{State: session.DrainIdle}
	if n.hub != nil {
		p.Left = n.hub.Conns()
	}
	if d := n.drain; d != nil {
		p.State, p.Window, p.Started = d.state, d.window.Milliseconds(), d.started.UnixMilli()
		p.Ends = d.started.Add(d.window).UnixMilli()
		p.Total, p.Closed = d.total, int(d.closed.Load())
	}
	return p
}
