//go:build !linux

package rawtcp

import (
	"net"
	"time"
)

// setTCPUserTimeout does nothing, because only Linux has the option.
func setTCPUserTimeout(*net.TCPConn, time.Duration) {}
