package protocol

import (
	"strconv"
	"time"
)

// Connected is the first envelope on every connection.
type Connected struct {
	// Connection is the connection's id.
	Connection string
	// User is the authenticated user; empty for an anonymous connection.
	User string
	// Heartbeat is the time between two pings of the server.
	Heartbeat time.Duration
}

// EventName is `connected`.
func (Connected) EventName() string { return TypeConnected }

// AppendEnvelope appends the envelope.
func (c Connected) AppendEnvelope(dst []byte) []byte {
	dst = beginEnvelope(dst, TypeConnected, nil)
	dst = append(dst, `{"version":`...)
	dst = strconv.AppendInt(dst, Version, 10)
	dst = appendStringField(dst, "connection", c.Connection)
	if c.User != "" {
		dst = appendStringField(dst, "user", c.User)
	}
	dst = appendIntField(dst, "heartbeat", milliseconds(c.Heartbeat))
	return append(dst, '}', '}')
}
