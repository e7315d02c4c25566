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

// holdAnswer and releaseAnswer do nothing: this system has no poller.
func holdAnswer(net.Conn) {}

func releaseAnswer(net.Conn) {}

// startWatched returns false: this system has no poller.
func startWatched(net.Conn, []byte, terms) bool {
	return false
}
