//go:build !unix

package sse

// writeOnce takes nothing: sockets do not work in the way of Unix here, and the
// hub then uses the blocking write.
func writeOnce(uintptr, []byte) (int, error) { return 0, nil }
