//go:build !unix

package ws

import (
	"net"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// newSocket returns the link of a hijacked connection. Without Unix descriptors there is no
// TryWrite, so the hub always writes from a goroutine that may wait.
func newSocket(h *hub.Hub, conn net.Conn, early []byte) link {
	s := new(socket)
	s.init(h, conn, early)
	return s
}
