package session

import (
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// DefaultMessageSize is the size of a frame up to which clients are served where
// nothing else is configured: far more than a chat message, and small enough to
// be held in memory for every connection at once.
const DefaultMessageSize = 64 << 10

// DefaultDocumentMemory is what the documents may take where nothing else is configured.
const DefaultDocumentMemory = 256 << 20

// LeastDocumentShare is the default of one share where a sixteenth would be less.
const LeastDocumentShare = 1 << 20

// Limits bound what clients may use of this node. 0 means unlimited, except for
// MessageSize and what is said of documents.
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
	// RequestMemory is how much memory the requests of the HTTP API may hold together, and
	// RequestMemoryPerIP those of one address or network, in bytes.
	RequestMemory, RequestMemoryPerIP int64
	// Channels is the greatest number of channels of one connection.
	Channels int
	// MessageSize is the greatest size of a frame or of a published content, in
	// bytes; 0 means [DefaultMessageSize].
	MessageSize int
	// DocumentMemory is how many bytes all documents may take together; 0 means
	// [DefaultDocumentMemory].
	DocumentMemory int64
	// DocumentShare is how many of them may be of one user or, for anonymous ones, of
	// one address; 0 means a sixteenth, and at least [LeastDocumentShare].
	DocumentShare int64
}

// perAddress reports that an address has a limit, so that clients are told apart by it.
func (l *Limits) perAddress() bool { return l.ConnectionsPerIP > 0 || !l.HandshakesPerIP.IsZero() }

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
