package hub

// Receiver is an optional interface of an [Executor]: it carries out what another node forwards to
// this node alone. Without it a node does not reply.
type Receiver interface {
	// Forwarded carries out a request and returns the reply. It does not block. One goroutine
	// at a time calls it. A request may be lost, and its sender then gets no reply. An error
	// means that it does not understand the request: a newer version may have sent it.
	Forwarded(request []byte) ([]byte, error)
}
