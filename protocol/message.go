package protocol

import (
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// appendMessage appends the envelope of a delivered message. It runs once for
// each broadcast and allocates nothing but the growth of dst.
func appendMessage(dst []byte, m *hub.Message) []byte {
	dst = append(dst, `{"type":"message","timestamp":`...)
	dst = strconv.AppendInt(dst, m.Time.UnixMilli(), 10)
	dst = append(dst, `,"payload":{"channel":`...)
	dst = AppendString(dst, m.Channel)
	return append(appendMessageFields(dst, m), '}', '}')
}

// appendMessageFields appends what a delivered and a replayed message have in
// common. The content comes last, so that the rest can be read by an eye that
// meets a long one.
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
	dst = append(dst, `,"content":`...)
	if len(m.Content) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, m.Content...)
}

// appendMessagesField appends replayed messages: the fields of a delivered one
// with its own timestamp, and without the channel, which stands beside them.
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
