package protocol

import (
	"bytes"
	"encoding/json"
)

const (
	// maxID bounds a command's id, in bytes between its quotes.
	maxID = 64
	// maxInteger is the length of the longest 64-bit integer.
	maxInteger = 20
	// maxType is longer than any type.
	maxType = 64
)

// Command is an envelope of a client.
type Command struct {
	// Type has at most 64 bytes. Decode does not know which types there are.
	Type string
	// ID is a copy of the JSON string or integer that the reply repeats; nil for none.
	ID json.RawMessage
	// Payload is an object, in the memory of the frame; nil if it was omitted.
	// The decoders of the payloads copy what they keep.
	Payload json.RawMessage

	// frame is the whole frame, and members are those of Payload in it.
	frame   []byte
	members spans
}

// Decode reads the envelope of a frame. With an error, only the ID of the Command counts, if it
// could be read.
func Decode(frame []byte) (Command, *Error) {
	if len(frame) == 0 {
		return Command{}, Errorf(InvalidJSON, "the frame is empty")
	}
	c := Command{frame: frame}
	m := walk(frame, "envelope")
	for m.nextRecording(&c.members) {
		switch string(m.name) {
		case "type":
			c.Type = m.commandType()
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

// commandTypes are the types that are no allocation to read.
var commandTypes = map[string]string{
	TypeAuthenticate: TypeAuthenticate, TypeChange: TypeChange, TypeHistory: TypeHistory,
	TypeMessage: TypeMessage, TypePing: TypePing, TypePresence: TypePresence,
	TypeSubscribe: TypeSubscribe, TypeUnsubscribe: TypeUnsubscribe,
}

// commandType reads the current value as the type of a command.
func (m *members) commandType() string {
	if v := m.value; v[0] == '"' {
		if t, known := commandTypes[string(v[1:len(v)-1])]; known {
			m.take()
			return t
		}
	}
	return m.text()
}

// possibleType rejects types that are too long to exist.
func possibleType(t string) *Error {
	if t == "" || len(t) > maxType {
		return UnknownTypeError(t)
	}
	return nil
}

// UnknownTypeError is the answer to a command of an unknown type.
func UnknownTypeError(t string) *Error {
	return Errorf(UnknownType, "no command has the type %s", Quote(t))
}

// id reads the current value as a command's id.
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

// isInteger reports whether a JSON value is an integer of at most maxInteger digits.
func isInteger(v []byte) bool {
	for i, c := range v {
		if !isDigit(c) && (c != '-' || i > 0) {
			return false
		}
	}
	return len(v) <= maxInteger
}
