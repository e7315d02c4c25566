package workload

import (
	"context"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/target"
)

// spoken runs a workload over another protocol, and over this project's own protocol in the variant
// [Native]. Messages of the app come over HTTP in both.
func spoken(d client.Dialect, run func(context.Context, *Session) (Figures, error)) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		if s.Variant != Native {
			s.Dialect = d
		}
		s.ByApp = true
		return run(ctx, s)
	}
}

// pushed is spoken for the Pusher protocol.
func pushed(run func(context.Context, *Session) (Figures, error)) func(context.Context, *Session) (Figures, error) {
	return spoken(client.Pusher, run)
}

// anApp is a site with an app of the Pusher protocol, whose channels are the rooms of the bench.
func anApp(string) target.Site {
	return target.Site{Plain: true, Lines: fmt.Sprintf("\t\tpusher %s {\n\t\t\tkey %s\n\t\t\tsecret %s\n\t\t\tprefix %s\n\t\t\tmembers 10000\n\t\t}\n",
		client.PusherApp, client.PusherKey, client.PusherSecret, client.PusherPrefix)}
}

// requests sends messages of the app into so many rooms at a time, in which nobody is. Each sender
// has one request in flight.
func requests(rooms, size int) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		names := make([]string, rooms)
		for i := range names {
			names[i] = fmt.Sprintf("bench:%d", i)
		}
		s.Dialect.Post = func(_ string, text []byte) (string, []byte) { return appMessage(s.Variant, names, text) }
		if s.Variant == Native {
			s.Dialect.Header = "Authorization: Bearer " + client.Key + "\r\nContent-Type: application/json\r\n"
		}
		p := client.NewPoster(&s.Endpoint, inFlight)
		defer p.Close()
		l := &loop{flight: client.NewFlight(inFlight), senders: inFlight, each: 1, copies: 1, size: size}
		l.send = func(ctx context.Context, _ int, stamp client.Stamp, text []byte) error {
			err := p.Publish(ctx, "", text)
			l.flight.Arrive(stamp)
			return err
		}
		m, err := s.measure(ctx, s.Time)
		if err != nil {
			return nil, err
		}
		sent, err := l.run(ctx, s.Time)
		if err != nil {
			return nil, err
		}
		f := Figures{Lost: 0} // each had an answer
		cost, took, err := m.per(int64(sent))
		f[Request], f[Requests] = cost, float64(sent)/took.Seconds()
		return f, err
	}
}

// appMessage returns a request that publishes one text to rooms.
func appMessage(variant string, rooms []string, text []byte) (path string, body []byte) {
	if variant != Native {
		return client.PusherEvents(rooms, text)
	}
	return client.NativeMessages(rooms, text)
}
