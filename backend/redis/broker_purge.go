package redis

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Purge implements [hub.Purger]. The position is in the room's meta and stays.
func (b *Broker) Purge(ctx context.Context, channel string, _ hub.Retention) (removed int, err error) {
	result, err := b.run(ctx, &call{args: []any{"xtrim", b.c.names.stream(channel), "maxlen", 0}})
	if err != nil {
		return 0, err
	}
	n, ok := result.(int64)
	if !ok {
		return 0, unexpected(result)
	}
	return int(n), nil
}

// Purge implements [hub.Purger].
func (bs brokers) Purge(ctx context.Context, channel string, keep hub.Retention) (int, error) {
	return bs.brokerOf(channel).Purge(ctx, channel, keep)
}

var (
	_ hub.Purger = (*Broker)(nil)
	_ hub.Purger = brokers{}
)
