package protocol

import (
	"encoding/json"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Authenticated is the envelope `authenticated`: the token was accepted.
type Authenticated struct {
	// ID is the command's; nil for none.
	ID json.RawMessage
	// User is the user of the token; empty if it names none.
	User string
	// Expires is when the token expires; the client must renew it before. Zero if it does not
	// expire.
	Expires time.Time
}

// EventName is `authenticated`.
func (Authenticated) EventName() string { return TypeAuthenticated }

// AppendEnvelope appends the envelope.
func (a Authenticated) AppendEnvelope(dst []byte) []byte {
	dst = append(beginEnvelope(dst, TypeAuthenticated, a.ID), '{')
	if a.User != "" {
		dst = appendStringField(dst, "user", a.User)
	}
	if !a.Expires.IsZero() {
		dst = appendIntField(dst, "expires", a.Expires.UnixMilli())
	}
	return append(dst, '}', '}')
}

// SubscribedReply is the envelope `subscribed`: the connection is in the room.
type SubscribedReply struct {
	// ID is the command's; nil for none.
	ID      json.RawMessage
	Channel string // or a pattern
	// Position is the position after which delivery goes on; zero in rooms without history.
	Position hub.Position
	// Recover reports whether the client wanted to recover; only then Recovered is sent.
	Recover bool
	// Recovered reports whether Messages are all messages that the client missed.
	Recovered bool
	// Messages are the missed messages, or the requested history, oldest first.
	Messages []*hub.Message
	// Document is the room's document; nil if it has none.
	Document *DocumentState
	// Replaced reports that the connection was subscribed before and has another filter now.
	Replaced bool
}

// EventName is `subscribed`.
func (SubscribedReply) EventName() string { return TypeSubscribed }

// AppendEnvelope appends the envelope.
func (s SubscribedReply) AppendEnvelope(dst []byte) []byte {
	dst = beginEnvelope(dst, TypeSubscribed, s.ID)
	dst = append(dst, '{')
	dst = appendSubscription(dst, s.Channel)
	dst = appendPositionFields(dst, s.Position)
	if s.Recover {
		dst = appendBoolField(dst, "recovered", s.Recovered)
	}
	if s.Replaced {
		dst = appendBoolField(dst, "replaced", true)
	}
	if len(s.Messages) > 0 {
		dst = appendMessagesField(dst, s.Messages)
	}
	if s.Document != nil {
		dst = s.Document.appendField(dst)
	}
	return append(dst, '}', '}')
}

// UnsubscribedReply is the envelope `unsubscribed`: the connection has left the room, and no
// event of the room follows.
type UnsubscribedReply struct {
	// ID is the command's; nil for none.
	ID      json.RawMessage
	Channel string // or a pattern
	// Cause says why the server ended the subscription; nil if the client did.
	Cause *Error
}

// EventName is `unsubscribed`.
func (UnsubscribedReply) EventName() string { return TypeUnsubscribed }

// AppendEnvelope appends the envelope.
func (u UnsubscribedReply) AppendEnvelope(dst []byte) []byte {
	dst = beginEnvelope(dst, TypeUnsubscribed, u.ID)
	dst = append(dst, '{')
	dst = appendSubscription(dst, u.Channel)
	if u.Cause != nil {
		dst = appendErrorFields(dst, u.Cause)
	}
	return append(dst, '}', '}')
}

// Ack is the envelope `ack`: a message was accepted.
type Ack struct {
	// ID is the command's.
	ID      json.RawMessage
	Channel string
	// Published is the result of the publish.
	Published hub.Published
}

// EventName is `ack`.
func (Ack) EventName() string { return TypeAck }

// AppendEnvelope appends the envelope.
func (a Ack) AppendEnvelope(dst []byte) []byte {
	return append(a.AppendPayload(beginEnvelope(dst, TypeAck, a.ID)), '}')
}

// AppendPayload appends the payload alone. It is also the HTTP API's answer to a publish.
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

// AppendPayload appends the payload alone. It is also the HTTP API's answer.
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

// Pong is the envelope `pong`, the answer to `ping`. Its timestamp is the
// server's clock.
type Pong struct {
	// ID is the command's; nil for none.
	ID json.RawMessage
}

// EventName is `pong`.
func (Pong) EventName() string { return TypePong }

// AppendEnvelope appends the envelope.
func (p Pong) AppendEnvelope(dst []byte) []byte {
	return append(beginEnvelope(dst, TypePong, p.ID), "{}}"...)
}

// ErrorReply is the envelope `error`: a command failed, or the client sent something that is no
// command.
type ErrorReply struct {
	// ID is the command's; nil for none.
	ID json.RawMessage
	// Err must not be nil.
	Err *Error
}

// EventName is `error`.
func (ErrorReply) EventName() string { return TypeError }

// AppendEnvelope appends the envelope.
func (e ErrorReply) AppendEnvelope(dst []byte) []byte {
	dst = beginEnvelope(dst, TypeError, e.ID)
	dst = append(dst, '{')
	dst = appendErrorFields(dst, e.Err)
	return append(dst, '}', '}')
}

// appendErrorFields appends the fields of an error, which are the same in every payload.
func appendErrorFields(dst []byte, e *Error) []byte {
	dst = appendStringField(dst, "code", string(e.Code))
	dst = appendStringField(dst, "message", e.Message)
	if e.RetryAfter > 0 {
		dst = appendIntField(dst, "retryAfter", milliseconds(e.RetryAfter))
	}
	return dst
}

// Result is the envelope `result`: the answer of the app to a call.
type Result struct {
	// ID is the command's.
	ID json.RawMessage
	// Result is compact, valid JSON.
	Result json.RawMessage
}

// EventName is `result`.
func (Result) EventName() string { return TypeResult }

// AppendEnvelope appends the envelope.
func (r Result) AppendEnvelope(dst []byte) []byte {
	dst = append(beginEnvelope(dst, TypeResult, r.ID), `{"result":`...)
	return append(append(dst, r.Result...), '}', '}')
}
