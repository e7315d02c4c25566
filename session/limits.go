package session

import "github.com/caddy-realtime/caddy-realtime/policy"

// defaultMessageSize is the size of a frame up to which clients are served where
// nothing else is configured: far more than a chat message, and small enough to
// be held in memory for every connection at once.
const defaultMessageSize = 64 << 10

// Limits bound what clients may use of this node. 0 means unlimited, except for
// MessageSize.
type Limits struct {
	// Connections is the greatest number of connections.
	Connections int
	// ConnectionsPerUser is the greatest number of connections of one user; with a
	// [Headcount] that to all nodes.
	// Anonymous connections are bounded by their address alone.
	ConnectionsPerUser int
	// ConnectionsPerIP is the greatest number of connections from one IPv4 address
	// or one IPv6 network of 64 bits, which is the least a site is given.
	ConnectionsPerIP int
	// Handshakes is how fast new connections are accepted.
	Handshakes policy.Rate
	// HandshakesPerIP is how fast new connections are accepted from one address, as
	// it is counted by ConnectionsPerIP.
	HandshakesPerIP policy.Rate
	// Rate is how fast one connection may send frames, and one caller may use the
	// HTTP API without its key.
	Rate policy.Rate
	// Channels is the greatest number of channels of one connection.
	Channels int
	// MessageSize is the greatest size of a frame or of a published content, in
	// bytes; 0 means 64 KiB.
	MessageSize int
}

// perAddress reports that an address has a limit, so that clients are told apart by it.
func (l *Limits) perAddress() bool { return l.ConnectionsPerIP > 0 || !l.HandshakesPerIP.IsZero() }

func (l Limits) withDefaults() Limits {
	if l.MessageSize <= 0 {
		l.MessageSize = defaultMessageSize
	}
	return l
}
