package workload

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

// idlePerRoom is how many idle clients share a room.
const idlePerRoom = 10

// idle connects clients that then do nothing, and measures what connecting cost, and the
// memory of the connections: as the server runs, and after it collected its garbage.
func idle(ctx context.Context, s *Session) (Figures, error) {
	if err := s.warm(ctx); err != nil {
		return nil, err
	}
	empty, err := proc.PSS(s.PID)
	if err != nil {
		return nil, err
	}
	m, err := s.measure(ctx, s.Rest)
	if err != nil {
		return nil, err
	}
	g, err := s.open(ctx, s.Idle, idlePerRoom)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	f := make(Figures)
	if f[Connect], _, err = m.per(int64(s.Idle)); err != nil {
		return nil, err
	}
	if err := sleep(ctx, s.Rest); err != nil {
		return nil, err
	}
	if f[Memory], err = s.above(empty); err != nil {
		return nil, err
	}
	if s.Collect != nil {
		if err := s.Collect(ctx); err != nil {
			return nil, err
		}
	}
	if f[Collected], err = s.above(empty); err != nil {
		return nil, err
	}
	f[Lost] = float64(g.Ended())
	return f, s.heap(ctx)
}

// warm connects some clients and closes them again, so that the code is loaded and what
// exists once exists.
func (s *Session) warm(ctx context.Context) error {
	g, err := s.open(ctx, min(s.Idle, 10*idlePerRoom), idlePerRoom)
	if err != nil {
		return err
	}
	g.Close()
	return s.quiet(ctx)
}

// above returns how much more memory the server has than when it was empty, in KiB for
// each connection.
func (s *Session) above(empty int) (float64, error) {
	now, err := proc.PSS(s.PID)
	return float64(now-empty) / 1024 / float64(s.Idle), err
}

// pinged measures what a ping and its answer cost: connections do nothing else.
func pinged(ctx context.Context, s *Session) (Figures, error) {
	// Pings keep the server from getting quiet.
	g, err := client.Open(ctx, &s.Endpoint, client.Plan{Transport: s.Transport, Clients: s.Pinged, PerRoom: idlePerRoom, AtOnce: atOnce})
	if err != nil {
		return nil, err
	}
	defer g.Close()
	if err := sleep(ctx, s.Rest); err != nil {
		return nil, err
	}
	m, err := s.measure(ctx, s.Time)
	if err != nil {
		return nil, err
	}
	before := g.Pings()
	if err := sleep(ctx, s.Time); err != nil {
		return nil, err
	}
	f := make(Figures)
	f[PingCPU], _, err = m.per(g.Pings() - before)
	f[Lost] = float64(g.Ended())
	return f, err
}
