package protocol

import "encoding/json"

// ErrorReply is the envelope `error`: a command failed, or the client did
// something that is no command at all.
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

// appendErrorFields appends the fields by which any payload tells of an error.
func appendErrorFields(dst []byte, e *Error) []byte {
	dst = appendStringField(dst, "code", string(e.Code))
	dst = appendStringField(dst, "message", e.Message)
	if e.RetryAfter > 0 {
		dst = appendIntField(dst, "retryAfter", milliseconds(e.RetryAfter))
	}
	return dst
}
