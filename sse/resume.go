package sse

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// unknown is a position of no epoch. To recover from it always fails, and the client gets a
// gap.
var unknown = hub.Position{Epoch: "unknown"}

func (q *request) several() bool { return len(q.channels) > 1 }

// locate finds the position of each channel in the client's cursor. Afterwards the cursor has
// only the channels of this stream.
func (q *request) locate(h *hub.Hub) {
	given := q.cursor
	q.cursor = protocol.Cursor{}
	for i := range q.channels {
		c := &q.channels[i]
		if protocol.IsPattern(c.name) {
			if q.returning || q.foreign || given.Len() > 0 {
				c.from = &unknown // a pattern has no positions: whatever came meanwhile is lost
			}
			continue
		}
		q.kept = q.kept || keeps(h, c.name)
		if p, ok := given.Position(c.name); ok {
			c.from = &p
			q.cursor.Set(c.name, p)
		} else if q.foreign || given.Len() > 0 && keeps(h, c.name) {
			// The channel was omitted because the cursor was too long, or it had no history
			// then; or the cursor is unknown.
			c.from = &unknown
		}
	}
}

// newStamps makes the connection's stamps, if the stream needs them.
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

// subscribe subscribes to all channels and adds them to the cursor.
func (q *request) subscribe(ctx context.Context, s *session.Session, own *stamps, waits func()) *protocol.Error {
	for _, c := range q.channels {
		var from hub.Position
		want := protocol.Subscribe{Channel: c.name, Recover: c.from, History: q.history, Filter: q.filter}
		if protocol.IsPattern(c.name) {
			want.History = 0
		}
		e := s.Subscribe(ctx, want, session.SubscribeOptions{Waits: waits, Reply: func(sub session.Subscribed) []hub.Event {
			from = replayStart(want, sub)
			return replay(want, sub)
		}})
		if e != nil {
			q.rejects = c.name
			return e
		}
		if own != nil && c.from == nil && !from.IsZero() {
			// The client of a single channel gets the position in `subscribed`. A cursor of
			// several channels must have it before: another channel may have an event first.
			own.begin(c.name, from)
			q.cursor.Set(c.name, from)
		}
	}
	return nil
}

// replay makes the events that a new subscriber reads first. What it missed comes as
// single messages, because the listeners of an EventSource look at those only; a `gap`
// tells them what can not be recovered. The replayed messages are delivered after the
// position in `subscribed`, which therefore is the position before them.
func replay(q protocol.Subscribe, sub session.Subscribed) []hub.Event {
	reply := protocol.SubscribedReply{
		Channel: sub.Channel, Position: replayStart(q, sub),
		Recover: q.Recover != nil, Recovered: sub.Recovered, Document: sub.Document,
	}
	events := append(make([]hub.Event, 0, len(sub.Messages)+2), reply)
	if reply.Recover && !sub.Recovered {
		events = append(events, hub.Gap{Channel: sub.Channel, Position: reply.Position})
	}
	for _, m := range sub.Messages {
		events = append(events, m)
	}
	if end := replayEnd(q, sub); end.Before(sub.Position) {
		// What follows the last replayed message did not pass a filter.
		events = append(events, hub.Progress{Channel: sub.Channel, Position: sub.Position})
	}
	return events
}

// replayStart is the position before the messages that are replayed; without any, where
// live delivery starts.
func replayStart(q protocol.Subscribe, sub session.Subscribed) hub.Position {
	switch {
	case len(sub.Messages) == 0:
		return sub.Position
	case sub.Recovered:
		return *q.Recover
	}
	first := sub.Messages[0].Position
	return hub.Position{Epoch: first.Epoch, Offset: first.Offset - 1}
}

// replayEnd is the position of the client after the replay.
func replayEnd(q protocol.Subscribe, sub session.Subscribed) hub.Position {
	switch n := len(sub.Messages); {
	case n > 0:
		return sub.Messages[n-1].Position
	case sub.Recovered:
		return *q.Recover
	}
	return sub.Position
}

func keeps(h *hub.Hub, channel string) bool {
	return h.Settings().Room(channel).Retention.Size > 0
}

// noPosition is the id of a stream whose channels have no history. It only says that the client
// was connected before.
const noPosition = "~"

// prologue is the start of a stream: the time before a reconnect, and the cursor.
func (q *request) prologue() []byte {
	dst := appendRetry(nil, retryAfter(0))
	if q.cursor.Len() == 0 && !q.kept {
		return append(dst, "id: "+noPosition+"\n\n"...)
	}
	return append(appendCursor(dst, &q.cursor), '\n')
}
