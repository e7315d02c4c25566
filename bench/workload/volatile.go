package workload

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/bench/target"
)

// What the browser client sends: a message with a key, which the server acknowledges and
// whose key it keeps; and a volatile one.
const (
	keyedFrame = `{"type":"message","id":1,"payload":{"channel":"{room}","key":"{key}","content":"{text}"}}`
	lightFrame = `{"type":"message","payload":{"channel":"{room}","volatile":true,"content":"{text}"}}`
)

// volatile publishes volatile messages to rooms without history, and messages with keys in
// the variant without them.
func volatile(size int) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		s.Dialect.Frame = lightFrame
		if s.Variant == Without {
			s.Dialect.Frame = keyedFrame
		}
		g, err := s.openAlone(ctx)
		if err != nil {
			return nil, err
		}
		return s.messages(ctx, g, s.alone(g, inFlight, size))
	}
}

// plainRooms have neither history nor presence.
func plainRooms(redis bool) func(string) target.Site {
	return func(string) target.Site { return target.Site{Plain: true, Redis: redis} }
}
