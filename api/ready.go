package api

import (
	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// readiness is the answer of a node that takes clients.
type readiness struct {
	Ready bool `json:"ready"`
}

// ready is GET /ready, for load balancers. Everybody may ask, and nobody is told more
// than that.
func ready(c *call) *protocol.Error {
	if !c.o.Ready() {
		return problem.Unavailable("this server should get no new clients at the moment")
	}
	return c.replyValue(readiness{true})
}
