package realtime

import (
	"github.com/caddyserver/caddy/v2"
)

// defaultHub is the name of the hub of a route that names none.
const defaultHub = "default"

// HubConfig says how one hub works: its limits, and the rooms that its clients
// may use. The zero value is a hub in which nothing can be subscribed.
type HubConfig struct {
	// Heartbeat is how dead connections are found.
	Heartbeat HeartbeatConfig `json:"heartbeat,omitzero"`

	// Limits bound what clients may use of this node.
	Limits LimitsConfig `json:"limits,omitzero"`

	// Rooms say what may be done in which channels. The first one whose pattern
	// matches a channel decides, in the order in which they are written; a channel
	// that none matches can not be used. Default: none.
	Rooms []RoomConfig `json:"rooms,omitempty"`

	// Redis lets several nodes share the rooms. Default: they are this node's alone.
	Redis *RedisConfig `json:"redis,omitempty"`
}

// HeartbeatConfig says how often a connection is probed. WebSocket clients answer
// a ping; an event stream gets a comment line, which keeps proxies on the way from
// closing it.
type HeartbeatConfig struct {
	// Interval is the time between two probes of a connection. Default: 25s, which
	// zero means as well.
	Interval caddy.Duration `json:"interval,omitempty"`

	// Timeout is how long the answer to a ping may take before the connection
	// counts as lost; not longer than the interval. Default: 10s, or the interval
	// if that is shorter; zero means the same.
	Timeout caddy.Duration `json:"timeout,omitempty"`
}

// LimitsConfig bounds what clients may use of one node. What is refused is
// answered with RATE_LIMITED or LIMIT_EXCEEDED and a time to wait.
type LimitsConfig struct {
	// Connections is the greatest number of connections of this hub. Default: 0,
	// which means no limit.
	Connections int `json:"connections,omitempty"`

	// ConnectionsPerUser is the greatest number of connections of one user, who
	// needs one for each open tab. With Redis it is that to all nodes together, or
	// nearly: connections that are made in the same moment to different nodes may go
	// beyond it. Default: 0, which means no limit.
	ConnectionsPerUser int `json:"connections_per_user,omitempty"`

	// ConnectionsPerIP is the greatest number of connections to this node from one IPv4
	// address or one IPv6 network of 64 bits. Whole companies may share an address.
	// Default: 0, which means no limit.
	ConnectionsPerIP int `json:"connections_per_ip,omitempty"`

	// Handshakes is how fast new connections are accepted, which softens the rush
	// after a network failure. Default: no limit.
	Handshakes RateConfig `json:"handshakes,omitzero"`

	// HandshakesPerIP is how fast new connections are accepted from one address, as
	// ConnectionsPerIP counts it, so that no address takes all of Handshakes. Whole
	// companies may share an address, and come back together. Default: no limit.
	HandshakesPerIP RateConfig `json:"handshakes_per_ip,omitzero"`

	// Channels is the greatest number of channels that one connection may be
	// subscribed to. Default: 100, which zero means as well.
	Channels int `json:"channels,omitempty"`

	// MessageSize is the greatest size of a client's frame and of a published
	// content, in bytes. Default: 65536 (64KiB), which zero means as well.
	MessageSize int64 `json:"message_size,omitempty"`

	// Rate is how fast one connection may send commands, and one caller may use
	// the HTTP API without an API key. A connection that is over it is not read from
	// for a moment. Default: no limit.
	Rate RateConfig `json:"rate,omitzero"`

	// RequestMemory is how much memory the requests to the HTTP API may hold together, in
	// bytes: bodies that are still being sent, and answers that are not taken yet. Beyond
	// it requests are refused with UNAVAILABLE. Requests with an API key do not count.
	// Default: 134217728 (128MiB), which zero means as well.
	RequestMemory int64 `json:"request_memory,omitempty"`

	// RequestMemoryPerIP is the same for the requests from one IPv4 address or one IPv6
	// network of 64 bits, which are refused with RATE_LIMITED beyond it. Default: a
	// quarter of RequestMemory, which zero means as well.
	RequestMemoryPerIP int64 `json:"request_memory_per_ip,omitempty"`

	// Queue bounds what waits for a connection that reads slowly.
	Queue QueueConfig `json:"queue,omitzero"`

	// HistoryMemory is the greatest amount of memory for the retained messages of
	// all rooms together, in bytes. The rooms that were not used for the longest
	// time lose theirs first. An eighth of it at most is for idempotency keys. A
	// reload does not change it. Default: 268435456
	// (256MiB), which zero means as well.
	HistoryMemory int64 `json:"history_memory,omitempty"`

	// DocumentMemory is the greatest amount of memory for the documents of all rooms
	// together, in bytes; with Redis it is memory of Redis. When three quarters are in
	// use clients can make no new documents, and at seven eighths they can make no
	// document larger; the rest is for the app. Default: 268435456 (256MiB), which zero
	// means as well.
	DocumentMemory int64 `json:"document_memory,omitempty"`

	// DocumentShare is how much of it what one user has written may take; anonymous
	// clients share by address. The app with its API key has no share. Default: a
	// sixteenth of DocumentMemory, and at least 1 MiB; zero means the same.
	DocumentShare int64 `json:"document_share,omitempty"`
}

// RateConfig is a number of events per second. The zero value means no limit.
type RateConfig struct {
	// PerSecond is how many events are allowed each second in the long run; may be
	// a fraction. Default: 0, which means no limit.
	PerSecond float64 `json:"per_second,omitempty"`

	// Burst is how many may come at once after a pause. Default: what PerSecond
	// allows in one second, and at least one; zero means the same.
	Burst int `json:"burst,omitempty"`
}

// QueueConfig bounds a connection's queue of messages that its client has not
// taken yet. What happens when it is full is said by the slow policy of the room.
type QueueConfig struct {
	// Messages is the greatest number of queued messages. Default: 256, which zero
	// means as well.
	Messages int `json:"messages,omitempty"`

	// Bytes is the greatest size of all of them, as they are sent. It can not be
	// smaller than the greatest message. Default: 1048576 (1MiB), which zero means
	// as well.
	Bytes int64 `json:"bytes,omitempty"`
}

// RoomConfig is a rule for the channels that a pattern matches.
type RoomConfig struct {
	// Pattern says which channels the rule is for. It consists of segments with a
	// colon in between: literal text, `*` for any one segment, `{user}` for a segment
	// of which only the user of that name may make use, or `{claim.NAME}` for one
	// that only those may use whose token has it as the claim NAME. `*` as the last
	// segment stands for all that follows. Required.
	Pattern string `json:"pattern"`

	// Subscribe says who may receive the messages: `anyone`, `users` (who are not
	// anonymous), `granted` (whose token grants it for the channel) or `server`
	// (nobody). Default: `users`.
	Subscribe string `json:"subscribe,omitempty"`

	// Publish says who may send messages: `anyone`, `users`, `granted` or `server`
	// (only the app, with its API key). Default: `server`.
	Publish string `json:"publish,omitempty"`

	// Read says who may read the history at will: `anyone`, `users`, `granted` or
	// `server`. A subscriber gets what it missed while its connection was lost in
	// any case. Default: who may subscribe.
	Read string `json:"read,omitempty"`

	// History is how many messages are retained, for clients that come back after
	// a lost connection or want to see the latest ones. Default: none.
	History HistoryConfig `json:"history,omitzero"`

	// Presence makes the room know who is in it. Default: it does not.
	Presence *PresenceConfig `json:"presence,omitempty"`

	// Document gives each channel a JSON document that clients change together.
	// Default: there is none.
	Document *DocumentConfig `json:"document,omitempty"`

	// Slow says what happens when the queue of a slow client is full.
	// `disconnect` closes its connection; the client comes back and gets what it
	// missed from the history. `drop_oldest` drops queued messages and says so
	// with a `gap`. `latest` keeps only the newest message of the channel, which
	// fits values of which just the last one counts. Default: `disconnect`.
	Slow string `json:"slow,omitempty"`

	// Rate is how fast one publisher may send messages into one channel. The app
	// with its API key is not limited. Default: no limit.
	Rate RateConfig `json:"rate,omitzero"`

	// TotalRate is how fast all publishers together may send messages into one
	// channel, on this node. The app with its API key is not limited, and not counted.
	// Default: no limit.
	TotalRate RateConfig `json:"total_rate,omitzero"`

	// Content bounds what clients publish. Default: nothing but message_size does.
	Content ContentConfig `json:"content,omitzero"`

	// Schema is what every content that a client publishes has to match; others are
	// refused with SCHEMA_VIOLATION. Default: any JSON will do.
	Schema *SchemaConfig `json:"schema,omitempty"`

	// Sanitize says what becomes of HTML in the strings of what clients publish.
	// `text` removes it all, `html` keeps the harmless part of it, `none` leaves
	// everything as it is. Default: `none`.
	Sanitize string `json:"sanitize,omitempty"`
}

// HistoryConfig says how many messages a room retains.
type HistoryConfig struct {
	// Size is the greatest number of retained messages. Default: 0, which means no
	// history.
	Size int `json:"size,omitempty"`

	// TTL is how long a message is retained. Default: 0, which means until newer
	// ones push it out.
	TTL caddy.Duration `json:"ttl,omitempty"`
}
