//go:build !linux

package sse

import (
	"net"
	"time"
)

// setUserTimeout does nothing: dead peers are found by TCP's own retransmission
// limit here.
func setUserTimeout(net.Conn, time.Duration) {}
