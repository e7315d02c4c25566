package workload

import (
	"context"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

const (
	distinct    = 10 // filters
	taggedFrame = `{"type":"message","payload":{"channel":"{room}","tags":{"team":"red","level":3},"content":"{text}"}}`
)

// filters publishes to one room whose subscribers have ten distinct filters: all let the
// message pass, or one of them does. The variant without them has no filters.
func filters(size, rate int, all bool) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		s.Dialect.Frame = taggedFrame
		plan := client.Plan{Clients: s.Filtered, PerRoom: s.Filtered}
		receivers := s.Filtered
		if s.Variant != Without {
			plan.Subscribe = func(i int) string { return filtered(i, all) }
			if !all {
				receivers /= distinct
			}
		}
		g, err := s.connect(ctx, plan)
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
		copies := int64(sent) * int64(receivers)
		g.Await(ctx, copies, drained)
		f := make(Figures)
		f[Offered], _, err = m.per(int64(sent) * int64(s.Filtered))
		f.latencies(g)
		f[Lost] = lost(g, s.Filtered, copies)
		return f, err
	}
}

// filtered subscribes the i-th client with one of the filters.
func filtered(i int, all bool) string {
	level := fmt.Sprintf("== %d", i%distinct)
	if all {
		level = fmt.Sprintf("!= %d", distinct+i%distinct)
	}
	return `{"type":"subscribe","payload":{"channel":"{room}","filter":"tags.team == \"red\" && tags.level ` + level + `"}}`
}
