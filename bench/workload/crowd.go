package workload

import (
	"context"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
	"github.com/caddy-realtime/caddy-realtime/bench/target"
)

// The figures of a crowd.
const (
	Seconds  = "s until all know all"
	CPUTotal = "CPU s"
	MiB      = "MiB sent"
	Peak     = "MiB peak memory"
	Twice    = "% told twice"
)

// crowd connects members who enter one room at once. A Pusher channel tells each of them about all
// the others. A native client learns how many there are and who the first ones are.
func crowd(ctx context.Context, s *Session) (Figures, error) {
	told := &client.Told{Mark: `seat\":`}
	plan := client.Plan{Transport: s.Transport, Clients: s.Idle, PerRoom: s.Idle, AtOnce: atOnce, Told: told}
	if s.Variant != Native {
		s.Dialect.Join = func(i int, greeting []byte) string {
			return client.PusherMember(greeting, fmt.Sprintf("user-%d", i), fmt.Sprintf(`{"name":"A User","seat":%d}`, i))
		}
	}
	m, err := s.measure(ctx, s.Rest)
	if err != nil {
		return nil, err
	}
	g, err := client.Open(ctx, &s.Endpoint, plan)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	ended := told.Settle(ctx, drained)
	f := make(Figures)
	cost, _, err := m.per(1)
	if err != nil {
		return nil, err
	}
	f[CPUTotal], f[Seconds] = cost/1e6, ended.Sub(m.began).Seconds()
	f[MiB] = float64(told.Bytes.Load()) / (1 << 20)
	peak, err := proc.Peak(s.PID)
	f[Peak] = float64(peak) / (1 << 20)
	f[Lost] = float64(g.Ended())
	if s.Variant != Native {
		all := int64(s.Idle) * int64(s.Idle)
		f[Lost] += float64(max(all-told.Marks.Load(), 0))
		f[Twice] = float64(max(told.Marks.Load()-all, 0)) / float64(all) * 100
	}
	return f, err
}

// seated is a site with an app whose presence channel is also a room with presence for anybody.
func seated(variant string) target.Site {
	site := anApp(variant)
	site.Plain = variant != Native
	return site
}
