package ws

import "github.com/caddy-realtime/caddy-realtime/hub"

// What tests outside the package need beside its API.
var (
	// Start runs a connection after its handshake, on a goroutine of its own.
	Start = start
)

// Pong is the answer to a ping, as an event.
func Pong(payload string) hub.Event { return pong(payload) }
