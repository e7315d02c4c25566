//go:build !linux

package sse

import "net/http"

// newPolled returns nil: this system has no poller.
func newPolled(*http.Request, Options) framing { return nil }
