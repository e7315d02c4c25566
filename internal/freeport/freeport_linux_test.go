package freeport

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
)

// A server can listen at an address, and again after that; others cannot have it, even
// though nothing listens.
func TestAddr(t *testing.T) {
	addr := Addr(t)
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Fatal("something listens")
	}
	for range 2 {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	// As strict as the system is when it picks a port for somebody.
	strict := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
		})
	}}
	if l, err := strict.Listen(context.Background(), "tcp", addr); !errors.Is(err, syscall.EADDRINUSE) {
		if err == nil {
			l.Close()
		}
		t.Errorf("others: %v", err)
	}
}
