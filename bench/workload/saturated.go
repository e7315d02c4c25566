package workload

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

// inFlight is how many messages are under way at a time.
const inFlight = 8

// saturated publishes to one room so that always inFlight messages are under way: the next
// one is sent when all copies of one have arrived. By WebSocket one client sends them all;
// by HTTP so many connections send one each, of which each is a sender of its own.
func saturated(size int) func(context.Context, *Session) (Figures, error) {
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
		sent, err := p.saturate(ctx, s.Time, size)
		if err != nil {
			g.Close()
			return nil, err
		}
		copies := int64(sent) * int64(s.Subscribers)
		g.Await(ctx, copies, drained)
		f := make(Figures)
		var took time.Duration
		arrived := g.Arrived()
		f[CPU], took, err = m.per(arrived)
		f[Rate] = float64(arrived) / took.Seconds()
		f.latencies(g)
		f[Lost] = lost(g, s.Subscribers, copies)
		return f, err
	}
}

// saturate keeps messages in flight for a time, and returns how many it sent.
func (p *publisher) saturate(ctx context.Context, d time.Duration, size int) (int, error) {
	l := &loop{senders: 1, each: inFlight, copies: p.s.Subscribers, size: size}
	if p.post != nil {
		l.senders, l.each = inFlight, 1
	}
	l.flight = client.NewFlight(l.senders)
	l.send = func(ctx context.Context, _ int, _ client.Stamp, text []byte) error {
		return p.publish(ctx, 0, "bench:0", text)
	}
	p.g.Watch(l.flight)
	return l.run(ctx, d)
}
