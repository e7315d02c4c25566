package rawtcp

import "net"

// Bare returns the connection below a wrapper of this module, or conn. Such a wrapper passes on every byte
// unchanged and keeps none, so the socket may be used behind its back. Wrappers of others may hold bytes.
func Bare(conn net.Conn) net.Conn {
	if c, ok := conn.(interface{ Bare() net.Conn }); ok {
		return c.Bare()
	}
	return conn
}
