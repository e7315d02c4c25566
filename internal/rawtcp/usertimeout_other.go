//go:build !linux

package rawtcp

import (
	"net"
	"time"
)

// setTCPUserTimeout does nothing: the option is Linux's.
func setTCPUserTimeout(*net.TCPConn, time.Duration) {}
