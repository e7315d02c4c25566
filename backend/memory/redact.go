package memory

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Redact implements [hub.Redactor].
func (b *Broker) Redact(ctx context.Context, channel string, r hub.Retention, at hub.Position) (found bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	now := time.Now()
	rm, err := b.shard(channel).pin(channel, now.Sub(b.born), false)
	if err != nil || rm == nil {
		return false, err
	}
	defer rm.unpin()
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if err := b.load(rm, now); err != nil {
		return false, err
	}
	rm.keep(now, r)
	l := rm.log.Load()
	if l == nil || at.Epoch != "" && at.Epoch != l.Top().Epoch {
		return false, nil
	}
	found = l.Replace(at.Offset, func(m *hub.Message) history.Entry[*hub.Message] {
		m = m.Redacted()
		return history.Entry[*hub.Message]{Value: m, Cost: cost(m)}
	})
	b.account(rm)
	return found, nil
}

var _ hub.Redactor = (*Broker)(nil)
