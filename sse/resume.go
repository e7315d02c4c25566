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
		q.kept = q.kept || keeps(h, c.name)
		if p, ok := given.Position(c.name); ok {
			c.from = &p
			q.cursor.Set(c.name, p)
		} else if q.foreign || given.Len() > 0 && keeps(h, c.name) {
			// It was left out of a cursor that would have become too long, or had no
			// history at that time; or it is not known what the client has seen.
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
func (q *request) subscribe(ctx context.Context, s *session.Session, own *stamps, waits func()) *protocol.Error {
	for _, c := range q.channels {
		from, e := s.Subscribe(ctx, protocol.Subscribe{Channel: c.name, Recover: c.from, History: q.history}, waits)
		if e != nil {
			return e
		}
		if own != nil && c.from == nil && !from.IsZero() {
			// The client of a single channel learns it from `subscribed`; a cursor of
			// several must hold it before that, since any of them may have an event first.
			own.begin(c.name, from)
			q.cursor.Set(c.name, from)
		}
	}
	return nil
}

func keeps(h *hub.Hub, channel string) bool {
	return h.Settings().Room(channel).Retention.Size > 0
}

// noPosition is the id of a stream whose channels have no history. It says only that its
// client has been here before.
const noPosition = "~"

// prologue is the first thing a client reads: when to come back, and its cursor.
func (q *request) prologue() []byte {
	dst := appendRetry(nil, retryAfter(0))
	if q.cursor.Len() == 0 && !q.kept {
		return append(dst, "id: "+noPosition+"\n\n"...)
	}
	return append(appendCursor(dst, &q.cursor), '\n')
}
