package ws

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// link is a client's byte stream after the handshake: a socket that was taken over
// or a stream of HTTP/2 or HTTP/3. The reader's methods are called by the reader
// alone.
type link interface {
	hub.Transport
	io.Reader
	// SetReadDeadline bounds the reader's next reads; the zero time lifts the
	// bound. It never loosens what Close has set.
	SetReadDeadline(t time.Time) error

	isClosed() bool
	readerDone()
	abort()
}

var (
	_ link = (*socket)(nil)
	_ link = (*stream)(nil)
)

// isTimeout recognizes a deadline that has passed, in the words of net, HTTP/2 and
// QUIC.
func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
