package protocol

import "encoding/json"

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
