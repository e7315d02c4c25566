package workload

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

// drained is how long nothing must arrive before what is missing counts as lost.
const drained = 2 * time.Second

// lost closes the group. It returns how many copies did not arrive exactly once and in
// order, plus the connections that the server ended.
func lost(g *client.Group, clients int, copies int64) float64 {
	ended := g.Ended()
	g.Close()
	return float64(g.Lost(clients, copies) + ended)
}

// fanout publishes to one room at a fixed rate.
func fanout(size, rate int) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		g, err := s.open(ctx, s.Subscribers, s.Subscribers)
		if err != nil {
			return nil, err
		}
		p := s.publisher(g)
		defer p.close()
		m, err := s.measure(ctx, s.Time)
		if err != nil {
			g.Close()
			return nil, err
		}
		sent, err := p.paced(ctx, s.Time, rate, size, 0)
		if err != nil {
			g.Close()
			return nil, err
		}
		copies := int64(sent) * int64(s.Subscribers)
		g.Await(ctx, copies, drained)
		f := make(Figures)
		f[CPU], _, err = m.per(g.Arrived())
		f.latencies(g)
		f[Lost] = lost(g, s.Subscribers, copies)
		return f, err
	}
}

// publisher sends messages of sender 0: as the first client by WebSocket, or by HTTP.
type publisher struct {
	s    *Session
	g    *client.Group
	post *client.Poster
}

func (s *Session) publisher(g *client.Group) *publisher {
	p := &publisher{s: s, g: g}
	if s.Transport == client.Stream || s.ByApp {
		p.post = client.NewPoster(&s.Endpoint, inFlight)
	}
	return p
}

func (p *publisher) close() {
	if p.post != nil {
		p.post.Close()
	}
}

// publish sends one message into the room of the i-th client.
func (p *publisher) publish(ctx context.Context, i int, room string, text []byte) error {
	if p.post != nil {
		return p.post.Publish(ctx, room, text)
	}
	return p.g.Publish(i, text)
}

// paced sends rate messages a second, and returns how many. A message that is late keeps
// the time at which it should have been sent. The numbers of the messages start at first.
func (p *publisher) paced(ctx context.Context, d time.Duration, rate, size, first int) (int, error) {
	n := max(int(d.Seconds()*float64(rate)), 1)
	begin := client.Now() + 10*time.Millisecond
	for i := range n {
		at := begin + time.Duration(i)*time.Second/time.Duration(rate)
		if err := until(ctx, at); err != nil {
			return i, err
		}
		if err := p.publish(ctx, 0, "bench:0", client.Stamp{Intended: at, Seq: uint32(first + i)}.Text(size)); err != nil {
			return i, err
		}
	}
	return n, nil
}
