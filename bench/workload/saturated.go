package workload

import (
	"context"
	"errors"
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	senders, each := 1, inFlight
	if p.post != nil {
		senders, each = inFlight, 1
	}
	flight := client.NewFlight(senders)
	p.g.Watch(flight)
	end := client.Now() + d
	type result struct {
		sent int
		err  error
	}
	results := make(chan result, senders)
	for sender := range senders {
		go func() {
			sent, err := p.fly(ctx, flight, sender, each, size, end)
			results <- result{sent, err}
		}()
	}
	total, errs := 0, []error(nil)
	for range senders {
		r := <-results
		total += r.sent
		if r.err != nil {
			errs = append(errs, r.err)
			cancel()
		}
	}
	return total, errors.Join(errs...)
}

// fly sends the messages of one sender. It ends early if a message does not arrive
// everywhere: it is then counted as lost.
func (p *publisher) fly(ctx context.Context, f *client.Flight, sender, each, size int, end time.Duration) (sent int, err error) {
	for range each {
		f.Landed[sender] <- struct{}{}
	}
	for client.Now() < end {
		select {
		case <-ctx.Done():
			return sent, ctx.Err()
		case <-time.After(drained):
			return sent, nil
		case <-f.Landed[sender]:
		}
		f.Start(uint32(sender), uint32(sent), p.s.Subscribers)
		text := client.Stamp{Intended: client.Now(), Sender: uint32(sender), Seq: uint32(sent)}.Text(size)
		if err := p.publish(ctx, 0, "bench:0", text); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}
