package workload

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

// slowShare is how many clients there are for each slow one.
const slowShare = 20

// slow publishes to one room, first while everybody reads and then while some do not.
// Only the healthy clients count. The latency before and during, and the growth of the
// server's memory show what the slow ones cost the others.
func slow(size, rate int) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		clients := s.Slow * slowShare
		g, err := s.openSlow(ctx, clients)
		if err != nil {
			return nil, err
		}
		f, copies, err := s.slowly(ctx, g, clients, size, rate)
		if err != nil {
			g.Close()
			return nil, err
		}
		f[Lost] = lost(g, clients-s.Slow, copies)
		return f, nil
	}
}

// slowly returns also how many copies the healthy clients should have received.
func (s *Session) slowly(ctx context.Context, g *client.Group, clients, size, rate int) (Figures, int64, error) {
	p, f := s.publisher(g), make(Figures)
	defer p.close()
	before, err := p.paced(ctx, s.Time, rate, size, 0)
	if err != nil {
		return nil, 0, err
	}
	g.Await(ctx, int64(before)*int64(clients), drained)
	f[Before] = milliseconds(g.Latency.Quantile(0.99))
	g.Latency.Reset()
	memory, err := proc.PSS(s.PID)
	if err != nil {
		return nil, 0, err
	}
	g.Stall(s.Slow)
	healthy, start := int64(clients-s.Slow), g.Arrived()
	m, err := s.measure(ctx, 2*s.Time)
	if err != nil {
		return nil, 0, err
	}
	during, err := p.paced(ctx, 2*s.Time, rate, size, before)
	if err != nil {
		return nil, 0, err
	}
	g.Await(ctx, start+int64(during)*healthy, drained)
	if f[CPU], _, err = m.per(g.Arrived() - start); err != nil {
		return nil, 0, err
	}
	f.latencies(g)
	f[During] = f[P99] / f[Before]
	after, err := proc.PSS(s.PID)
	f[Growth] = float64(after-memory) / 1024 / float64(s.Slow)
	return f, int64(before+during) * healthy, err
}
