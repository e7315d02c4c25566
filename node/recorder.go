package node

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

// recorder hands what dialects know to the outbox.
type recorder struct{ outbox notify.Outbox }

func (r recorder) Missed(ctx context.Context, channel string) error {
	return r.outbox.Record(ctx, notify.Event{Type: notify.CacheMiss, Channel: channel})
}

func (r recorder) Counted(ctx context.Context, channel string, subscriptions int) error {
	return r.outbox.Record(ctx, notify.Event{Type: notify.Counted, Channel: channel, Count: subscriptions})
}
