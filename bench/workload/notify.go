package workload

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/target"
)

// notified publishes messages of each of which the server notifies the app. A publisher
// has a message in flight until the app has it.
func notified(size int) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		g, err := s.openAlone(ctx)
		if err != nil {
			return nil, err
		}
		l := s.alone(g, notifyFlight, size)
		if s.Variant == Without {
			return s.messages(ctx, g, l)
		}
		return s.events(ctx, g, l)
	}
}

// notifyFlight is how many messages of a publisher are in flight. It makes batches full.
const notifyFlight = 32

// events is messages for a server that notifies an app.
func (s *Session) events(ctx context.Context, g *client.Group, l *loop) (Figures, error) {
	a, err := startApp(s.App, l.flight)
	if err != nil {
		g.Close()
		return nil, err
	}
	defer a.close()
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
	a.await(int64(sent))
	f, err := m.messages(a.arrived())
	g.Await(ctx, int64(sent), drained)
	f[Lost] = lost(g, s.Publishers, int64(sent)) + float64(int64(sent)-a.arrived())
	return f, err
}

// notifying is a site that notifies the app of messages.
func notifying(redis bool) func(string) target.Site {
	return func(variant string) target.Site {
		site := plainRooms(redis)(variant)
		if variant != Without {
			site.Lines = "\t\tnotify {\n\t\t\tevents message\n\t\t\tsecret whsec_YmVuY2gta2V5LXRoYXQtcHJvdGVjdHMtbm90aGluZy0wMTIz\n\t\t\treverse_proxy {app}\n\t\t}\n"
		}
		return site
	}
}
