package ws

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// link is a client's byte stream after the handshake: a socket of HTTP/1.1 or a stream of
// HTTP/2 or HTTP/3. Only the reader calls Read and SetReadDeadline.
type link interface {
	hub.Transport
	io.Reader
	// SetReadDeadline bounds the reader's next reads; the zero time removes the bound. A
	// deadline that Close has set stays.
	SetReadDeadline(t time.Time) error

	isClosed() bool
	readerDone()
	abort()
}

var (
	_ link = (*socket)(nil)
	_ link = (*stream)(nil)
)

// isTimeout reports whether a deadline has passed. The errors of net, HTTP/2 and QUIC have this
// method.
func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
