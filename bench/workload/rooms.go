package workload

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

// perRoom is how many members a small room has.
const perRoom = 5

// rooms has many small rooms, in which each member publishes once a second.
func rooms(size int) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		members := s.Rooms * perRoom
		g, err := s.open(ctx, members, perRoom)
		if err != nil {
			return nil, err
		}
		m, err := s.measure(ctx, s.Time)
		if err != nil {
			g.Close()
			return nil, err
		}
		sent, err := chatter(ctx, g, members, size, s.Time)
		if err != nil {
			g.Close()
			return nil, err
		}
		copies := int64(sent) * perRoom
		g.Await(ctx, copies, drained)
		f := make(Figures)
		f[CPU], _, err = m.per(g.Arrived())
		f.latencies(g)
		f[Lost] = lost(g, members, copies)
		return f, err
	}
}

// chatter publishes from each member once a second, all of them spread evenly over the
// second, in an order that is the same in every run.
func chatter(ctx context.Context, g *client.Group, members, size int, d time.Duration) (int, error) {
	order := rand.New(rand.NewPCG(1, 2)).Perm(members) //nolint:gosec // no secret
	n := int(d.Seconds() * float64(members))
	begin := client.Now() + 10*time.Millisecond
	for k := range n {
		at := begin + time.Duration(k)*time.Second/time.Duration(members)
		if err := until(ctx, at); err != nil {
			return k, err
		}
		i := order[k%members]
		stamp := client.Stamp{Intended: at, Sender: uint32(i), Seq: uint32(k / members)}
		if err := g.Publish(i, stamp.Text(size)); err != nil {
			return k, err
		}
	}
	return n, nil
}
