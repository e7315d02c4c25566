package client

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/stats"
)

// Plan says which clients connect.
type Plan struct {
	Transport Transport
	Clients   int
	PerRoom   int
	AtOnce    int // handshakes in flight
	// Subscribe returns the first message of the i-th client; that of the dialect if nil.
	Subscribe func(i int) string
	Told      *Told // counts what all clients read; nil if nobody asks
	Slow      int   // the last clients have a receive buffer of 4 KiB, so that Stall works soon
}

// Room returns the name of the room of the i-th client.
func (p *Plan) Room(i int) string { return fmt.Sprintf("bench:%d", i/p.PerRoom) }

// Group is clients that are connected to one server.
type Group struct {
	Latency stats.Histogram // from the intended time to the read of each copy
	plan    Plan
	conns   []*conn
	flight  atomic.Pointer[Flight]
	arrived atomic.Int64 // messages, of all clients
	pings   atomic.Int64
	ended   atomic.Int64 // connections that ended before Close
	closing atomic.Bool
	resume  chan struct{} // closed by Close: stalled clients go on
	readers sync.WaitGroup
}

// Open connects all clients of a plan. Nothing is left over if one of them fails.
func Open(ctx context.Context, e *Endpoint, plan Plan) (*Group, error) {
	g := &Group{plan: plan, conns: make([]*conn, plan.Clients), resume: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var dialers sync.WaitGroup
	for range min(plan.AtOnce, plan.Clients) {
		dialers.Go(func() {
			for i := int(next.Add(1)) - 1; i < plan.Clients && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				c, err := open(ctx, e, i, plan)
				if err != nil {
					cancel(fmt.Errorf("client %d: %w", i+1, err))
					return
				}
				g.conns[i] = c
				g.readers.Go(func() { g.read(c) })
			}
		})
	}
	dialers.Wait()
	if err := context.Cause(ctx); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Group) read(c *conn) {
	_ = c.run(g) // why it ended does not matter: it counts
	if !g.closing.Load() {
		g.ended.Add(1)
	}
}

// received takes a message that client c read.
func (g *Group) received(c *conn, message []byte, now time.Duration) {
	stamp, ok := find(message)
	if !ok {
		return // presence, or an answer
	}
	c.check.see(stamp.Sender, stamp.Seq)
	g.arrived.Add(1)
	g.Latency.Add(now - stamp.Intended)
	if f := g.flight.Load(); f != nil {
		f.Arrive(stamp)
	}
}

// hold waits as long as client c is stalled.
func (g *Group) hold(c *conn) {
	if c.stalled.Load() {
		<-g.resume
	}
}

// Stall makes the last n clients stop reading until the group is closed.
func (g *Group) Stall(n int) {
	for _, c := range g.conns[len(g.conns)-n:] {
		c.stalled.Store(true)
	}
}

// Arrived returns how many messages all clients received.
func (g *Group) Arrived() int64 { return g.arrived.Load() }

// Pings returns how many pings and comments all clients received.
func (g *Group) Pings() int64 { return g.pings.Load() }

// Ended returns how many connections the server ended.
func (g *Group) Ended() int64 { return g.ended.Load() }

// Await waits until n messages arrived in all, or nothing arrives any more for as long
// as quiet.
func (g *Group) Await(ctx context.Context, n int64, quiet time.Duration) {
	last, since := g.Arrived(), time.Now()
	for g.Arrived() < n && time.Since(since) < quiet && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
		if now := g.Arrived(); now != last {
			last, since = now, time.Now()
		}
	}
}

// Publish sends a message from the i-th client, which must be a WebSocket.
func (g *Group) Publish(i int, text []byte) error {
	c := g.conns[i]
	return c.send(opText, c.dialect.frame(c.room, text))
}

// Close ends all connections and waits for their readers.
func (g *Group) Close() {
	g.closing.Store(true)
	close(g.resume)
	for _, c := range g.conns {
		if c == nil {
			continue
		}
		if tcp, ok := underlying(c.net).(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // no port waits
		}
		_ = underlying(c.net).Close()
	}
	g.readers.Wait()
}

// Lost returns how many of the copies that the first n clients should have received did
// not arrive, or not in order, or twice. The group must be closed.
func (g *Group) Lost(n int, copies int64) int64 {
	for _, c := range g.conns[:n] {
		copies -= int64(c.check.got - c.check.strange)
	}
	return copies
}

// underlying returns the TCP connection below TLS.
func underlying(c net.Conn) net.Conn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c
}
