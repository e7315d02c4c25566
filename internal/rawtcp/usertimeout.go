package rawtcp

import (
	"net"
	"time"
)

// SetUserTimeout makes the kernel give a peer up that acknowledges nothing for d,
// where the kernel can do that. TLS and other layers that name what they lie on
// are looked through.
func SetUserTimeout(conn net.Conn, d time.Duration) {
	for d > 0 {
		switch c := conn.(type) {
		case *net.TCPConn:
			setTCPUserTimeout(c, d)
			return
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return
		}
	}
}
