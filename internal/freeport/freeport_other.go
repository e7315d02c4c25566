//go:build !linux

package freeport

import (
	"net"
	"testing"
)

// Addr returns an address on 127.0.0.1 on which nothing listens, for a server that is
// started with a given port. On this system another process may take the address before the
// server does.
func Addr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
