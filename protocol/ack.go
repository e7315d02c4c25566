package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Ack is the envelope `ack`: a message was accepted.
type Ack struct {
	// ID is the command's.
	ID      json.RawMessage
	Channel string
	// Published is what became of the message.
	Published hub.Published
}

// EventName is `ack`.
func (Ack) EventName() string { return TypeAck }

// AppendEnvelope appends the envelope.
func (a Ack) AppendEnvelope(dst []byte) []byte {
	return append(a.AppendPayload(beginEnvelope(dst, TypeAck, a.ID)), '}')
}

// AppendPayload appends the payload alone, which is also the HTTP API's answer to
// a publish.
func (a Ack) AppendPayload(dst []byte) []byte {
	dst = append(dst, '{')
	dst = appendStringField(dst, "channel", a.Channel)
	dst = appendPositionFields(dst, a.Published.Position)
	if a.Published.Duplicate {
		dst = appendBoolField(dst, "duplicate", true)
	}
	if a.Published.Degraded {
		dst = appendBoolField(dst, "degraded", true)
	}
	return append(dst, '}')
}
