package sse

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// unknown is a position of no epoch: to recover from it always fails, and tells
// the client so by a gap.
var unknown = hub.Position{Epoch: "unknown"}

func (q *request) several() bool { return len(q.channels) > 1 }

// locate finds in the client's cursor from where each channel is recovered. What
// is left in the cursor are the channels of this stream.
func (q *request) locate(h *hub.Hub) {
	given := q.cursor
	q.cursor = protocol.Cursor{}
	for i := range q.channels {
		c := &q.channels[i]
		if p, ok := given.Position(c.name); ok {
			c.from = &p
			q.cursor.Set(c.name, p)
		} else if given.Len() > 0 && keeps(h, c.name) {
			// It was left out of a cursor that would have become too long, or had no
			// history at that time.
			c.from = &unknown
		}
	}
}

// newStamps makes the connection's own, if the stream needs them.
func (q *request) newStamps() *stamps {
	if !q.several() {
		return nil
	}
	own := new(stamps)
	for _, c := range q.channels {
		if p, ok := q.cursor.Position(c.name); ok {
			own.begin(c.name, p)
		}
	}
	return own
}

// subscribe subscribes to all channels. The cursor then covers them.
func (q *request) subscribe(ctx context.Context, s *session.Session, h *hub.Hub, own *stamps) *protocol.Error {
	for _, c := range q.channels {
		if own == nil || c.from != nil || !keeps(h, c.name) {
			if e := c.subscribe(ctx, s); e != nil {
				return e
			}
			continue
		}
		begin, e := c.subscribeFrom(ctx, s, h)
		if e != nil {
			return e
		}
		own.begin(c.name, begin)
		q.cursor.Set(c.name, begin)
	}
	return nil
}

func (c channel) subscribe(ctx context.Context, s *session.Session) *protocol.Error {
	return s.Subscribe(ctx, protocol.Subscribe{Channel: c.name, Recover: c.from}, nil)
}

// subscribeFrom subscribes and gives a position that is not after the one from
// which the channel is delivered. The client of a single channel learns it from
// `subscribed`; a cursor of several must hold it before that, since any of them
// may have an event first.
func (c channel) subscribeFrom(ctx context.Context, s *session.Session, h *hub.Hub) (hub.Position, *protocol.Error) {
	p, e := top(ctx, h, c.name)
	if e == nil {
		e = c.subscribe(ctx, s)
	}
	if e != nil || !p.IsZero() {
		return p, e
	}
	p, e = top(ctx, h, c.name) // nobody had used the room: its log has just begun
	return hub.Position{Epoch: p.Epoch}, e
}

func keeps(h *hub.Hub, channel string) bool {
	return h.Settings().Room(channel).Retention.Size > 0
}

// top reads the newest position of a channel.
func top(ctx context.Context, h *hub.Hub, channel string) (hub.Position, *protocol.Error) {
	page, err := h.History(ctx, channel, hub.HistoryQuery{})
	return page.Top, protocol.AsError(err)
}

// prologue is the first thing a client reads: when to come back, and its cursor.
func (q *request) prologue() []byte {
	dst := appendRetry(nil, retryAfter(0))
	return append(appendCursor(dst, &q.cursor), '\n')
}
