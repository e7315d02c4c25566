package poller

import "sync/atomic"

// Handler is the owner of a connection.
type Handler interface {
	// Readable is called, on a goroutine of its own and never twice at the same time, when
	// something has arrived or the connection has ended. It reads until nothing is left, or
	// closes the connection. It recovers its panics. It may block.
	Readable()
}

// off says that Take and NewWatch do nothing.
var off atomic.Bool

// Off makes Take and NewWatch do nothing from now on, as on systems without a poller. Tests call
// it.
func Off() { off.Store(true) }
