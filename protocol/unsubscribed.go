package protocol

import "encoding/json"

// UnsubscribedReply is the envelope `unsubscribed`: the connection is no longer in
// the room, and nothing of the room follows.
type UnsubscribedReply struct {
	// ID is the command's; nil for none.
	ID      json.RawMessage
	Channel string
	// Cause says why the server ended a subscription by itself; nil when the
	// client asked for it.
	Cause *Error
}

// EventName is `unsubscribed`.
func (UnsubscribedReply) EventName() string { return TypeUnsubscribed }

// AppendEnvelope appends the envelope.
func (u UnsubscribedReply) AppendEnvelope(dst []byte) []byte {
	dst = beginEnvelope(dst, TypeUnsubscribed, u.ID)
	dst = append(dst, '{')
	dst = appendStringField(dst, "channel", u.Channel)
	if u.Cause != nil {
		dst = appendErrorFields(dst, u.Cause)
	}
	return append(dst, '}', '}')
}
