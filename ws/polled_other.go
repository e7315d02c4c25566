//go:build !linux

package ws

import (
	"bufio"
	"net"
)

// startPolled returns false: this system has no poller.
func startPolled(net.Conn, *bufio.Writer, []byte, terms) (bool, error) {
	return false, nil
}

// startWatched returns false: this system has no poller.
func startWatched(net.Conn, []byte, terms) bool {
	return false
}
