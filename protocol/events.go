package protocol

import (
	"strconv"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Event is something that the server sends. [hub.Conn.Send] and [hub.Hub.Announce] take any type
// that implements it; there is no list of types. Implementations are values that do not change
// after they were sent.
type Event interface {
	// AppendEnvelope appends the JSON text of the whole envelope, on one line.
	AppendEnvelope(dst []byte) []byte
}

// Named is an optional ability of an [Event]: the type of its envelope, which is its name on an
// event stream. An event without it has no name there, and reaches the listeners for plain
// messages.
type Named interface {
	EventName() string
}

// AppendEnvelope appends the envelope of an event of the hub. It appends nothing for an event
// that this protocol does not have.
func AppendEnvelope(dst []byte, ev hub.Event) []byte {
	switch ev := ev.(type) {
	case *hub.Message:
		return appendMessage(dst, ev)
	case hub.Gap:
		return appendGap(dst, ev)
	case hub.Progress:
		return appendProgress(dst, ev)
	case hub.Reconnect:
		return appendReconnect(dst, ev)
	case Event:
		return ev.AppendEnvelope(dst)
	}
	return dst
}

// EventName returns an event's name on an event stream: the app's name for a message that has
// one, else the type of the envelope. For a plain message that is "message", which needs no
// `event:` line. It is empty for an event without a name.
func EventName(ev hub.Event) string {
	switch ev := ev.(type) {
	case *hub.Message:
		if ev.Event != "" && !Reserved(ev.Event) { // another dialect has other reserved names
			return ev.Event
		}
		return TypeMessage
	case hub.Gap:
		return TypeGap
	case hub.Progress:
		return TypePosition
	case hub.Reconnect:
		return TypeReconnect
	case Named:
		return ev.EventName()
	}
	return ""
}

// Connected is the first envelope on every connection.
type Connected struct {
	// Connection is the connection's id.
	Connection string
	// User is the authenticated user; empty for an anonymous connection.
	User string
	// Heartbeat is the time between two pings of the server.
	Heartbeat time.Duration
	// Secret names an event stream in requests over HTTP, see [StreamPresence]; empty on other
	// connections.
	Secret string
}

// EventName is `connected`.
func (Connected) EventName() string { return TypeConnected }

// AppendEnvelope appends the envelope.
func (c Connected) AppendEnvelope(dst []byte) []byte {
	dst = beginEnvelope(dst, TypeConnected, nil)
	dst = append(dst, `{"version":`...)
	dst = strconv.AppendInt(dst, Version, 10)
	dst = appendStringField(dst, "connection", c.Connection)
	if c.User != "" {
		dst = appendStringField(dst, "user", c.User)
	}
	dst = appendIntField(dst, "heartbeat", milliseconds(c.Heartbeat))
	if c.Secret != "" {
		dst = appendStringField(dst, "secret", c.Secret)
	}
	return append(dst, '}', '}')
}

// appendMessage appends the envelope of a delivered message. It runs once for each broadcast and
// allocates only to grow dst.
func appendMessage(dst []byte, m *hub.Message) []byte {
	dst = append(dst, `{"type":"message","timestamp":`...)
	dst = strconv.AppendInt(dst, m.Time.UnixMilli(), 10)
	dst = append(dst, `,"payload":{"channel":`...)
	dst = AppendString(dst, m.Channel)
	return append(appendMessageFields(dst, m), '}', '}')
}

// appendMessageFields appends the common fields of a delivered and a replayed message. The
// content comes last: it may be long, and a person must find the other fields.
func appendMessageFields(dst []byte, m *hub.Message) []byte {
	if !m.Position.IsZero() {
		dst = append(dst, `,"offset":`...)
		dst = strconv.AppendUint(dst, m.Position.Offset, 10)
		dst = appendAnchorField(dst, m.Position.Anchor)
	}
	if m.Sender != "" {
		dst = append(dst, `,"sender":`...)
		dst = AppendString(dst, m.Sender)
	}
	if m.Event != "" {
		dst = append(dst, `,"event":`...)
		dst = AppendString(dst, m.Event)
	}
	if m.Direct != nil {
		dst = appendDirect(dst, m.Direct)
	}
	if len(m.Tags) > 0 {
		dst = append(append(dst, `,"tags":`...), m.Tags...)
	}
	dst = append(dst, `,"content":`...)
	if len(m.Content) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, m.Content...)
}

// appendMessagesField appends replayed messages. Each has the fields of a delivered one and its
// own timestamp, but no channel, which is beside them.
func appendMessagesField(dst []byte, ms []*hub.Message) []byte {
	dst = append(appendKey(dst, "messages"), '[')
	for i, m := range ms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"timestamp":`...)
		dst = strconv.AppendInt(dst, m.Time.UnixMilli(), 10)
		dst = append(appendMessageFields(dst, m), '}')
	}
	return append(dst, ']')
}

// appendGap appends the envelope `gap`.
func appendGap(dst []byte, g hub.Gap) []byte {
	dst = beginEnvelope(dst, TypeGap, nil)
	dst = append(dst, '{')
	dst = appendSubscription(dst, g.Channel)
	dst = appendPositionFields(dst, g.Position)
	return append(dst, '}', '}')
}

// appendProgress appends the envelope `position`.
func appendProgress(dst []byte, p hub.Progress) []byte {
	dst = beginEnvelope(dst, TypePosition, nil)
	dst = append(dst, '{')
	dst = appendStringField(dst, "channel", p.Channel)
	dst = appendPositionFields(dst, p.Position)
	return append(dst, '}', '}')
}

// appendReconnect appends the envelope `reconnect`.
func appendReconnect(dst []byte, r hub.Reconnect) []byte {
	dst = beginEnvelope(dst, TypeReconnect, nil)
	dst = append(dst, '{')
	dst = appendIntField(dst, "after", milliseconds(r.After))
	if r.Reason != "" {
		dst = appendStringField(dst, "reason", r.Reason)
	}
	return append(dst, '}', '}')
}
