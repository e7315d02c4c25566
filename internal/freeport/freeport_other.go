//go:build !linux

package freeport

import (
	"net"
	"testing"
)

// Addr is an address on 127.0.0.1 on which nothing listens, for a server that is told
// its port. Here nothing keeps others from it until the server is there.
func Addr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
