package protocol

import (
	"encoding/json"
	"time"
)

// Authenticated is the envelope `authenticated`: the token was accepted.
type Authenticated struct {
	// ID is the command's; nil for none.
	ID json.RawMessage
	// User is the user of the token; empty when it names none.
	User string
	// Expires is when the token ends, before which another one is needed; zero
	// when it does not.
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
