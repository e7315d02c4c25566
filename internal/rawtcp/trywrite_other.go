//go:build !unix

package rawtcp

import "syscall"

// CanTryWrite reports whether TryWrite ever writes anything on this system.
const CanTryWrite = false

// TryWrite takes nothing: descriptors are not written to like on Unix here, and
// the hub then always writes from a goroutine that may wait.
func TryWrite(syscall.RawConn, []byte) (int, error) { return 0, nil }
