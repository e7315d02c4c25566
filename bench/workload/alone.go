package workload

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
)

// openAlone connects publishers of which each is alone in a room: what a message costs is
// then mostly what it costs to publish it.
func (s *Session) openAlone(ctx context.Context) (*client.Group, error) {
	return s.open(ctx, s.Publishers, 1)
}

// alone is a loop in which each publisher has messages in flight that come back to itself.
func (s *Session) alone(g *client.Group, each, size int) *loop {
	return &loop{flight: client.NewFlight(s.Publishers), senders: s.Publishers, each: each, copies: 1, size: size,
		send: func(_ context.Context, sender int, _ client.Stamp, text []byte) error { return g.Publish(sender, text) }}
}

// messages runs a loop whose messages come back, and measures what each costs. It closes
// the group.
func (s *Session) messages(ctx context.Context, g *client.Group, l *loop) (Figures, error) {
	g.Watch(l.flight)
	m, err := s.measure(ctx, s.Time)
	if err != nil {
		g.Close()
		return nil, err
	}
	sent, err := l.run(ctx, s.Time)
	if err != nil {
		g.Close()
		return nil, err
	}
	g.Await(ctx, int64(sent), drained)
	f, err := m.messages(g.Arrived())
	if err == nil {
		f.latencies(g)
	}
	f[Lost] = lost(g, s.Publishers, int64(sent))
	return f, err
}

// messages returns what each of n messages cost, the server and its Redis.
func (m *meter) messages(n int64) (Figures, error) {
	f := make(Figures)
	cost, took, err := m.per(n)
	if err != nil {
		return f, err
	}
	f[Message], f[Events] = cost, float64(n)/took.Seconds()
	if m.s.Redis != 0 {
		f[OfRedis], err = m.ofRedis(n)
	}
	return f, err
}
