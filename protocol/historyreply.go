package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// HistoryReply is the envelope `history` as an answer.
type HistoryReply struct {
	// ID is the command's; nil for none.
	ID      json.RawMessage
	Channel string
	Page    hub.HistoryPage
}

// EventName is `history`.
func (HistoryReply) EventName() string { return TypeHistory }

// AppendEnvelope appends the envelope.
func (h HistoryReply) AppendEnvelope(dst []byte) []byte {
	return append(h.AppendPayload(beginEnvelope(dst, TypeHistory, h.ID)), '}')
}

// AppendPayload appends the payload alone, which is also the HTTP API's answer.
func (h HistoryReply) AppendPayload(dst []byte) []byte {
	dst = append(dst, '{')
	dst = appendStringField(dst, "channel", h.Channel)
	dst = appendPositionFields(dst, h.Page.Top)
	if h.Page.Lost {
		dst = appendBoolField(dst, "lost", true)
	}
	if h.Page.More {
		dst = appendBoolField(dst, "more", true)
	}
	return append(appendMessagesField(dst, h.Page.Messages), '}')
}
