package session

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A connection is ended when it breaks more rules than this within this time. A
// client that goes a little over its rate, or has a bug in one message, does not
// come near it.
const (
	maxViolations   = 20
	violationWindow = 10 * time.Second
)

// offences counts broken rules from the first one of a window on.
type offences struct {
	since time.Time
	count int
}

// add gives the count with one more offence at now, and whether that is too many.
func (o offences) add(now time.Time) (next offences, tooMany bool) {
	if o.count == 0 || now.Sub(o.since) >= violationWindow {
		o = offences{since: now}
	}
	o.count++
	return o, o.count > maxViolations
}

// malformed tells the errors of a client that does not speak the protocol from
// those that a client can run into without being broken: a permission it lacks, or
// a room that takes less than the connection may send.
func malformed(c protocol.Code) bool {
	switch c {
	case protocol.InvalidJSON, protocol.InvalidMessage, protocol.InvalidChannel, protocol.UnknownType:
		return true
	}
	return false
}

// refusedToken tells the answers to a token that is no good. To try tokens out is
// an offence.
func refusedToken(command string, c protocol.Code) bool {
	if command != protocol.TypeAuthenticate {
		return false
	}
	return c == protocol.Unauthorized || c == protocol.TokenExpired || c == protocol.Forbidden
}
