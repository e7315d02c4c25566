package memory

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Purge implements [hub.Purger].
func (b *Broker) Purge(ctx context.Context, channel string, r hub.Retention) (removed int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	now := time.Now()
	rm, err := b.shard(channel).pin(channel, now.Sub(b.born), false)
	if err != nil || rm == nil {
		return 0, err
	}
	defer rm.unpin()
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if err := b.load(rm, now); err != nil {
		return 0, err
	}
	rm.keep(now, r)
	if l := rm.log.Load(); l != nil {
		removed = l.Len()
		l.Trim(now, history.Bounds{})
	}
	b.account(rm)
	return removed, nil
}

var _ hub.Purger = (*Broker)(nil)
