package session

import (
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// DefaultMessageSize is the greatest size of a frame if none is configured. It is far more
// than a chat message, and small enough to be held in memory for every connection at once.
const DefaultMessageSize = 64 << 10

// DefaultDocumentMemory is the memory of all documents if none is configured.
const DefaultDocumentMemory = 256 << 20

// LeastDocumentShare is the default of one share if a sixteenth would be less.
const LeastDocumentShare = 1 << 20

// Limits bound what clients may use of this node. 0 means unlimited, except for MessageSize,
// DocumentMemory and DocumentShare.
type Limits struct {
	// Connections is the greatest number of connections.
	Connections int
	// ConnectionsPerUser is the greatest number of connections of one user. With a
	// [Headcount], the connections to all nodes count. Anonymous connections are bounded
	// by their address alone.
	ConnectionsPerUser int
	// ConnectionsPerIP is the greatest number of connections from one IPv4 address or one
	// IPv6 network of 64 bits, the smallest network that a site gets.
	ConnectionsPerIP int
	// Handshakes is how fast new connections are accepted.
	Handshakes policy.Rate
	// HandshakesPerIP is how fast new connections are accepted from one address. Addresses
	// are counted as for ConnectionsPerIP.
	HandshakesPerIP policy.Rate
	// Rate is how fast one connection may send frames, and one caller may use the
	// HTTP API without its key.
	Rate policy.Rate
	// RequestMemory is how many bytes all requests of the HTTP API may hold together.
	// RequestMemoryPerIP is how many the requests of one address or network may hold.
	RequestMemory, RequestMemoryPerIP int64
	// Channels is the greatest number of channels of one connection.
	Channels int
	// MessageSize is the greatest size of a frame or of a published content, in
	// bytes; 0 means [DefaultMessageSize].
	MessageSize int
	// DocumentMemory is how many bytes all documents may take together; 0 means
	// [DefaultDocumentMemory].
	DocumentMemory int64
	// DocumentShare is how many of these bytes one user may fill, or the anonymous clients
	// of one address; 0 means a sixteenth, and at least [LeastDocumentShare].
	DocumentShare int64
}

// perAddress reports whether addresses have a limit. Then they tell clients apart.
func (l *Limits) perAddress() bool { return l.ConnectionsPerIP > 0 || !l.HandshakesPerIP.IsZero() }

// withDefaults returns the limits with the defaults filled in.
func (l Limits) withDefaults() Limits {
	if l.MessageSize <= 0 {
		l.MessageSize = DefaultMessageSize
	}
	if l.DocumentMemory <= 0 {
		l.DocumentMemory = DefaultDocumentMemory
	}
	if l.DocumentShare <= 0 {
		l.DocumentShare = max(l.DocumentMemory/16, min(l.DocumentMemory, LeastDocumentShare))
	}
	return l
}
