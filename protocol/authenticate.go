package protocol

import "encoding/json"

// Authenticate is the payload of `authenticate`.
type Authenticate struct {
	// Token says who the client is. It is a secret: no error repeats any of it.
	Token string
}

// DecodeAuthenticate reads the payload of `authenticate`.
func DecodeAuthenticate(payload json.RawMessage) (Authenticate, *Error) {
	var a Authenticate
	m := walk(payload, "payload")
	for m.next() {
		if string(m.name) == "token" {
			a.Token = m.text()
		}
	}
	m.require("token")
	if m.err == nil && a.Token == "" {
		m.err = Errorf(InvalidMessage, "payload: \"token\" must not be empty")
	}
	if m.err != nil {
		return Authenticate{}, m.err
	}
	return a, nil
}
