//go:build !unix

package rawtcp

import "syscall"

// CanTryWrite reports whether TryWrite ever writes anything on this system.
const CanTryWrite = false

// TryWrite writes nothing, because this system does not write to descriptors as Unix does.
// The hub then always writes from a goroutine that may wait.
func TryWrite(syscall.RawConn, []byte) (int, error) { return 0, nil }
