package hub

import "context"

// redactedTags are the tags of a redacted message. Clients and nodes of any version pass them on.
const redactedTags = `{"redacted":true}`

// Redacted returns what stays of a message when its content is removed: its place, its time, its
// sender and its event. The content is null.
func (m *Message) Redacted() *Message {
	return &Message{
		Channel: m.Channel, Content: []byte("null"), Event: m.Event, Sender: m.Sender, Tags: []byte(redactedTags),
		Time: m.Time, Position: m.Position,
	}
}

// IsRedacted reports whether Redacted has made the message, which then has the anchor of another content.
func (m *Message) IsRedacted() bool {
	return string(m.Content) == "null" && string(m.Tags) == redactedTags
}

// Redactor is an optional interface of a [Broker]: to remove the content of one retained message.
type Redactor interface {
	// Redact replaces the message at a position by [Message.Redacted]. It returns false if
	// the history does not have the message. An epoch "" means the present one.
	Redact(ctx context.Context, channel string, r Retention, at Position) (found bool, err error)
}

// Redact removes the content of a retained message. Who has received the message keeps it. It
// returns false if the history does not have the message. Errors are those of the broker, and
// [ErrUnsupported].
func (h *Hub) Redact(ctx context.Context, channel string, at Position) (found bool, err error) {
	keep := h.settings.Load().Room(channel).Retention
	if keep.Size == 0 {
		return false, nil
	}
	r, ok := h.broker.(Redactor)
	if !ok {
		return false, ErrUnsupported
	}
	return r.Redact(ctx, channel, keep, at)
}
