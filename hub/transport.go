package hub

// Transport is a connection's way to its client, implemented by the packages ws
// and sse. The hub calls Write from one goroutine at a time.
type Transport interface {
	// Write writes all of p or fails. It may block, but not for longer than the
	// hub's write timeout, which the transport keeps by itself.
	Write(p []byte) error
	// Close ends the connection at once and makes a blocked Write and the
	// transport's own reader return. It may be called more than once and at the
	// same time as Write.
	Close()
}

// TryWriter is an optional ability of a [Transport]: a write that never blocks.
// With it a broadcast is written by the room itself while the connection keeps
// up; without it each delivery to an idle connection wakes a goroutine.
// Transports whose writes can block inside a library (TLS, HTTP/2) must not have
// it.
type TryWriter interface {
	// TryWrite writes as much of p as is possible without waiting, and returns
	// how much that was. A full socket is not an error.
	TryWrite(p []byte) (n int, err error)
}

// Stamper is an optional ability of a [Transport]: bytes of this connection's
// own that precede each message with a position. An event stream of several
// channels needs it, because its cursor holds the positions of all of them.
// Without it a connection gets the shared bytes alone, which is cheaper.
type Stamper interface {
	// AppendStamp appends the stamp of a message or gap of channel at p. Calls
	// come in the order of the writes and never at the same time.
	AppendStamp(dst []byte, channel string, p Position) []byte
}
