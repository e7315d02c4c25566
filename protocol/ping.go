package protocol

import "encoding/json"

// Ping is the payload of `ping`, which has no fields.
type Ping struct{}

// DecodePing reads the payload of `ping`.
func DecodePing(payload json.RawMessage) (Ping, *Error) {
	m := walk(payload, "payload")
	for m.next() {
	}
	return Ping{}, m.err
}
