//go:build !linux

package ws

import (
	"bufio"
	"net"

	"github.com/caddy-realtime/caddy-realtime/session"
)

// startPolled returns false: this system has no poller.
func startPolled(net.Conn, *bufio.Writer, []byte, *session.Registry, session.Dialect, *session.Principal) (bool, error) {
	return false, nil
}
