package protocol

import (
	"bytes"
	"encoding/json"
)

const (
	// maxID bounds a command's id, as it is written between its quotes.
	maxID = 64
	// maxInteger is the length of the longest 64-bit integer.
	maxInteger = 20
	// maxType is more than any type has.
	maxType = 64
)

// Command is an envelope of a client.
type Command struct {
	// Type has at most 64 bytes. Decode does not know which types there are.
	Type string
	// ID is the JSON string or integer to repeat in the reply, and a copy; nil for
	// none.
	ID json.RawMessage
	// Payload is an object, in the memory of the frame; nil when it was left out.
	// The decoders of the payloads copy what they keep.
	Payload json.RawMessage
}

// Decode reads the envelope of a frame. With an error the Command holds the ID, if
// that could be read, and nothing else that counts.
func Decode(frame []byte) (Command, *Error) {
	if len(frame) == 0 {
		return Command{}, Errorf(InvalidJSON, "the frame is empty")
	}
	var c Command
	m := walk(frame, "envelope")
	for m.next() {
		switch string(m.name) {
		case "type":
			c.Type = m.text()
		case "id":
			c.ID = m.id()
		case "payload":
			c.Payload = m.object()
		}
	}
	if m.unreadable {
		return Command{}, m.err
	}
	m.require("type")
	m.check(possibleType, c.Type)
	return c, m.err
}

// possibleType spares those who look a type up from long ones.
func possibleType(t string) *Error {
	if t == "" || len(t) > maxType {
		return UnknownTypeError(t)
	}
	return nil
}

// UnknownTypeError is the answer to a command whose type nobody knows.
func UnknownTypeError(t string) *Error {
	return Errorf(UnknownType, "no command has the type %s", Quote(t))
}

// id takes the current value as a command's id.
func (m *members) id() json.RawMessage {
	v := m.take()
	switch {
	case v[0] == '"' && len(v)-2 > maxID:
		m.fail("must have at most %d bytes", maxID)
	case v[0] != '"' && !isInteger(v):
		m.fail("must be a string or an integer of at most %d digits", maxInteger)
	default:
		return bytes.Clone(v)
	}
	return nil
}

// isInteger tells integers from other JSON values.
func isInteger(v []byte) bool {
	for i, c := range v {
		if !isDigit(c) && (c != '-' || i > 0) {
			return false
		}
	}
	return len(v) <= maxInteger
}
