package rawtcp

import (
	"net"
	"time"
)

// SetUserTimeout makes the kernel close a connection whose peer acknowledges nothing for d,
// if the kernel can. It looks through TLS and other layers that name the connection below
// them.
func SetUserTimeout(conn net.Conn, d time.Duration) {
	for d > 0 {
		switch c := Bare(conn).(type) {
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
