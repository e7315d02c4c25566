package poller

import "sync/atomic"

// Handler is the owner of a connection.
type Handler interface {
	// Readable is called, never twice at the same time, when something has arrived or the
	// connection has ended. It reads until nothing is left, or closes the connection. It
	// recovers its panics.
	//
	// Other handlers may wait until it returns. It may block after a call of [Conn.Yield]; Read
	// and [Stream.Write] call that by themselves. The Handler of a [Watch] may always block.
	Readable()
}

// off says that Take and NewWatch do nothing.
var off atomic.Bool

// Off makes Take and NewWatch do nothing from now on, as on systems without a poller. Tests call
// it.
func Off() { off.Store(true) }
