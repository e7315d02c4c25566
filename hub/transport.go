package hub

import "time"

// Transport writes to the client of a connection. The packages ws and sse implement it. The
// hub calls Write from one goroutine at a time.
type Transport interface {
	// Write writes all of p or fails. It may block for the hub's write timeout, which the
	// transport enforces.
	Write(p []byte) error
	// Close closes the connection at once. A blocked Write and the transport's reader
	// return. It may be called more than once, and during Write.
	Close()
}

// TryWriter is an optional interface of a [Transport]: a write that never blocks. With it
// the room itself writes a broadcast while the connection keeps up. Without it each
// delivery to an idle connection starts a goroutine. A transport whose writes can block
// inside a library (TLS, HTTP/2) must not implement it.
type TryWriter interface {
	// TryWrite writes as much of p as is possible without waiting, and returns how many
	// bytes that were. A full socket is not an error.
	TryWrite(p []byte) (n int, err error)
}

// WriteWaiter is an optional interface of a [TryWriter]: it waits for space to write without a
// goroutine. With it the hub never calls Write. Without it, what can not be written at once
// waits in a goroutine that calls Write.
type WriteWaiter interface {
	// WhenWritable calls f once: with nil when TryWrite may write more, or with an error when
	// that takes longer than within, or when the connection is closed. It returns before it
	// calls f. The hub does not call it again before f.
	WhenWritable(within time.Duration, f func(error))
}

// Yielder is an optional interface of a [Transport] whose reader shares its goroutine with the
// readers of other connections.
type Yielder interface {
	// Yield says that the reader is about to wait, or to work for long. Other readers then do
	// not wait for it. It may be called more than once, and by other goroutines.
	Yield()
}

// Stamper is an optional interface of a [Transport] that puts bytes of its own before each
// message with a position. An event stream of several channels needs it, because its
// cursor holds the positions of all of them. Without it a connection gets only the shared
// bytes, which is cheaper.
type Stamper interface {
	// AppendStamp appends the stamp of a message or gap of channel at p. It is called in
	// the order of the writes, one call at a time, with a lock of the hub held.
	AppendStamp(dst []byte, channel string, p Position) []byte
}

// Reason says why a connection is closed. Code is the close code in the protocol, Text a
// public explanation, which a client may show.
type Reason struct {
	Code uint16
	Text string
}

// The reasons for which the hub itself closes a connection. The codes are those of the
// WebSocket registry (RFC 6455, section 7.4.1, and its IANA registry) where one fits. With
// 4000-4499 the client must not reconnect as it is, with 4500-4999 it should reconnect.
var (
	ReasonNormal   = Reason{1000, "closed"}
	ReasonGone     = Reason{1001, "server is shutting down"}
	ReasonLost     = Reason{1006, "connection lost"}
	ReasonRestart  = Reason{1012, "server is restarting"}
	ReasonSlow     = Reason{4500, "too slow: messages were not read in time"}
	ReasonSilent   = Reason{4501, "no sign of life within the heartbeat timeout"}
	ReasonReplaced = Reason{4502, "the hub of this connection is gone"}
)

// ByClient is the text of the reason when the client closes the connection with a code of its own.
const ByClient = "closed by the client"
