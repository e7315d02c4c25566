package redis

import (
	"context"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Redact implements [hub.Redactor]. The message is read first, because its time, sender and
// anchor stay. What the script replaces is the same message, because the epoch and the offset
// name it.
func (b *Broker) Redact(ctx context.Context, channel string, keep hub.Retention, at hub.Position) (bool, error) {
	if at.Offset == 0 {
		return false, nil
	}
	if at.Epoch == "" {
		page, err := b.History(ctx, channel, keep, hub.HistoryQuery{})
		if err != nil {
			return false, err
		}
		at.Epoch = page.Top.Epoch
	}
	before := hub.Position{Epoch: at.Epoch, Offset: at.Offset - 1}
	page, err := b.History(ctx, channel, keep, hub.HistoryQuery{Since: &before, Limit: 1})
	if err != nil || len(page.Messages) == 0 {
		return false, err
	}
	m := page.Messages[0]
	if m.Position.Epoch != at.Epoch || m.Position.Offset != at.Offset {
		return false, nil
	}
	n := b.c.names
	stream, _ := lifetimes(keep)
	result, err := b.run(ctx, &call{
		script: redactScript, repeatable: true,
		keys: []string{n.meta(channel), n.stream(channel)},
		args: []any{at.Epoch, strconv.FormatUint(at.Offset, 10), appendMessage(nil, m.Redacted()), stream},
	})
	if err != nil {
		return false, err
	}
	found, ok := result.(int64)
	if !ok {
		return false, unexpected(result)
	}
	return found == 1, nil
}

// Redact implements [hub.Redactor].
func (bs brokers) Redact(ctx context.Context, channel string, keep hub.Retention, at hub.Position) (bool, error) {
	return bs.brokerOf(channel).Redact(ctx, channel, keep, at)
}

var (
	_ hub.Redactor = (*Broker)(nil)
	_ hub.Redactor = brokers{}
)
