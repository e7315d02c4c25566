package protocol

import "encoding/json"

// Unsubscribe is the payload of `unsubscribe`.
type Unsubscribe struct {
	Channel string
}

// DecodeUnsubscribe reads the payload of `unsubscribe`.
func DecodeUnsubscribe(payload json.RawMessage) (Unsubscribe, *Error) {
	var u Unsubscribe
	m := walk(payload, "payload")
	for m.next() {
		if string(m.name) == "channel" {
			u.Channel = m.text()
		}
	}
	m.require("channel")
	m.check(ValidChannel, u.Channel)
	if m.err != nil {
		return Unsubscribe{}, m.err
	}
	return u, nil
}
