package config

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Limits bounds what clients may use of one node. The server answers what is over a limit
// with RATE_LIMITED or LIMIT_EXCEEDED and a time to wait.
type Limits struct {
	// Connections is the greatest number of connections of this hub. Default: 0, which
	// means no limit.
	Connections int `json:"connections,omitempty"`

	// ConnectionsPerUser is the greatest number of connections of one user, who needs one
	// for each open tab. With Redis it counts the connections to all nodes together. It
	// may be exceeded by a few if connections are made to different nodes in the same
	// moment. Default: 0, which means no limit.
	ConnectionsPerUser int `json:"connections_per_user,omitempty"`

	// ConnectionsPerIP is the greatest number of connections to this node from one IPv4
	// address or one IPv6 network of 64 bits. A whole company may share an address.
	// Default: 0, which means no limit.
	ConnectionsPerIP int `json:"connections_per_ip,omitempty"`

	// Handshakes is how fast the node accepts new connections. It softens the rush after
	// a network failure. Default: no limit.
	Handshakes Rate `json:"handshakes,omitzero"`

	// HandshakesPerIP is how fast the node accepts new connections from one address, as
	// ConnectionsPerIP counts it, so that no address takes all of Handshakes. A whole
	// company may share an address, and reconnect together. Default: no limit.
	HandshakesPerIP Rate `json:"handshakes_per_ip,omitzero"`

	// Channels is the greatest number of channels that one connection may be subscribed
	// to. Default: 100, which zero means as well.
	Channels int `json:"channels,omitempty"`

	// MessageSize is the greatest size of a client's frame and of a published content, in
	// bytes; at least 512. Default: 65536 (64KiB), which zero means as well.
	MessageSize int64 `json:"message_size,omitempty"`

	// Rate is how fast one connection may send commands, and how fast one caller may use
	// the HTTP API without an API key. The server stops reading from a connection that is
	// over it for a moment. Default: no limit.
	Rate Rate `json:"rate,omitzero"`

	// RequestMemory is how much memory the requests to the HTTP API may hold together, in
	// bytes: bodies that are still being sent, and answers that are not taken yet. Further
	// requests are rejected with UNAVAILABLE. Requests with an API key do not count.
	// Default: 134217728 (128MiB), which zero means as well.
	RequestMemory int64 `json:"request_memory,omitempty"`

	// RequestMemoryPerIP is the same for the requests from one IPv4 address or one IPv6
	// network of 64 bits. Further requests are rejected with RATE_LIMITED. Default: a
	// quarter of RequestMemory, which zero means as well.
	RequestMemoryPerIP int64 `json:"request_memory_per_ip,omitempty"`

	// Queue bounds what waits for a connection that reads slowly.
	Queue Queue `json:"queue,omitzero"`

	// HistoryMemory is the greatest amount of memory for the retained messages of all
	// rooms together, in bytes. If it is full, the rooms that were not used for the
	// longest time lose their messages first. At most an eighth of it is for idempotency
	// keys. A reload does not change it. Default: 268435456 (256MiB), which zero means as
	// well.
	HistoryMemory int64 `json:"history_memory,omitempty"`

	// DocumentMemory is the greatest amount of memory for the documents of all rooms
	// together, in bytes; with Redis it is memory of Redis. When three quarters are in
	// use, clients can make no new documents. When seven eighths are in use, they can make
	// no document larger. The rest is for the app. Default: 268435456 (256MiB), which zero
	// means as well.
	DocumentMemory int64 `json:"document_memory,omitempty"`

	// DocumentShare is how much of DocumentMemory the writes of one user may take, in
	// bytes. Anonymous clients share by address. The app with its API key has no share.
	// Default: a sixteenth of DocumentMemory, and at least 1MiB; zero means the same.
	DocumentShare int64 `json:"document_share,omitempty"`
}

// Queue bounds the messages that wait for a client to take them. The slow policy of the
// room says what happens when the queue is full.
type Queue struct {
	// Messages is the greatest number of queued messages. Default: 256, which zero means
	// as well.
	Messages int `json:"messages,omitempty"`

	// Bytes is the greatest size of all queued messages, as they are sent; at least
	// MessageSize. Default: 1048576 (1MiB), which zero means as well.
	Bytes int64 `json:"bytes,omitempty"`
}

func (c *Limits) compile() (session.Limits, error) {
	size := cmp.Or(c.MessageSize, session.DefaultMessageSize)
	switch {
	case min(c.Connections, c.ConnectionsPerUser, c.ConnectionsPerIP, c.Channels, c.Queue.Messages) < 0,
		min(c.Queue.Bytes, c.HistoryMemory, c.DocumentMemory, c.DocumentShare, c.RequestMemory, c.RequestMemoryPerIP) < 0:
		return session.Limits{}, errors.New("negative number")
	case c.DocumentShare > cmp.Or(c.DocumentMemory, session.DefaultDocumentMemory):
		return session.Limits{}, fmt.Errorf("the share of %d bytes is more than document_memory", c.DocumentShare)
	case size < MinMessageSize:
		return session.Limits{}, fmt.Errorf("message_size %d is less than %d bytes, in which not every command fits", size, MinMessageSize)
	case size > cmp.Or(c.Queue.Bytes, hub.DefaultQueueBytes):
		return session.Limits{}, fmt.Errorf("message_size %d is more than the queue holds, which is %d bytes", size, cmp.Or(c.Queue.Bytes, hub.DefaultQueueBytes))
	}
	memory := cmp.Or(c.RequestMemory, DefaultRequestMemory)
	limits := session.Limits{
		RequestMemory:      memory,
		RequestMemoryPerIP: cmp.Or(c.RequestMemoryPerIP, memory/4),
		Connections:        c.Connections,
		ConnectionsPerUser: c.ConnectionsPerUser,
		ConnectionsPerIP:   c.ConnectionsPerIP,
		Handshakes:         policy.Rate(c.Handshakes),
		HandshakesPerIP:    policy.Rate(c.HandshakesPerIP),
		Rate:               policy.Rate(c.Rate),
		Channels:           cmp.Or(c.Channels, DefaultChannels),
		MessageSize:        int(size),
		DocumentMemory:     c.DocumentMemory,
		DocumentShare:      c.DocumentShare,
	}
	return limits, errors.Join(limits.Handshakes.Validate(), limits.HandshakesPerIP.Validate(), limits.Rate.Validate())
}
