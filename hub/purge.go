package hub

import (
	"context"
	"errors"
)

// ErrUnsupported is returned for what the broker of the hub can not do.
var ErrUnsupported = errors.New("hub: the broker does not support this")

// Purger is an optional interface of a [Broker]: to remove the retained messages of a room.
// The position of the room stays, so that delivery goes on and an old position is noticed.
type Purger interface {
	// Purge removes the retained messages, and returns how many there were.
	Purge(ctx context.Context, channel string, r Retention) (removed int, err error)
}

// Purge removes the retained messages of a room and returns how many there were, and the
// position of the room, which is zero without history. Errors are those of the broker, and
// [ErrUnsupported].
func (h *Hub) Purge(ctx context.Context, channel string) (removed int, top Position, err error) {
	keep := h.settings.Load().Room(channel).Retention
	if keep.Size == 0 {
		return 0, Position{}, nil
	}
	p, ok := h.broker.(Purger)
	if !ok {
		return 0, Position{}, ErrUnsupported
	}
	if removed, err = p.Purge(ctx, channel, keep); err != nil {
		return 0, Position{}, err
	}
	page, err := h.broker.History(ctx, channel, keep, HistoryQuery{})
	return removed, page.Top, err
}
