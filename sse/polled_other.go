//go:build !linux

package sse

import (
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// newPolled returns nil: this system has no poller.
func newPolled(*http.Request, Options) framing { return nil }

// watchWire returns false: this system has no poller.
func watchWire(*hijacked, *hub.Conn) bool { return false }
