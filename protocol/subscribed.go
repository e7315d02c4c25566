package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// SubscribedReply is the envelope `subscribed`: the connection is in the room.
type SubscribedReply struct {
	// ID is the command's; nil for none.
	ID      json.RawMessage
	Channel string
	// Position is the place after which delivery goes on; zero in rooms without
	// history.
	Position hub.Position
	// Recover reports that the client asked to recover; only then Recovered is
	// sent.
	Recover bool
	// Recovered reports that Messages are all that was missed.
	Recovered bool
	// Messages are what was missed, or the history asked for, oldest first.
	Messages []*hub.Message
	// Document is the room's document; nil if it has none.
	Document *DocumentState
}

// EventName is `subscribed`.
func (SubscribedReply) EventName() string { return TypeSubscribed }

// AppendEnvelope appends the envelope.
func (s SubscribedReply) AppendEnvelope(dst []byte) []byte {
	dst = beginEnvelope(dst, TypeSubscribed, s.ID)
	dst = append(dst, '{')
	dst = appendStringField(dst, "channel", s.Channel)
	dst = appendPositionFields(dst, s.Position)
	if s.Recover {
		dst = appendBoolField(dst, "recovered", s.Recovered)
	}
	if len(s.Messages) > 0 {
		dst = appendMessagesField(dst, s.Messages)
	}
	if s.Document != nil {
		dst = s.Document.appendField(dst)
	}
	return append(dst, '}', '}')
}
