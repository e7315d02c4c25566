package api

import (
	_ "embed"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// readiness is the answer of a node that accepts clients.
type readiness struct {
	Ready bool `json:"ready"`
}

// ready is GET /ready, for load balancers. Everybody may read it, so it says no more than
// that.
func ready(c *call) *protocol.Error {
	if !c.o.Ready() {
		return problem.Unavailable("this node accepts no new clients at the moment")
	}
	return c.replyValue(readiness{true})
}

// description is the OpenAPI 3.1 description of the API.
//
//go:embed openapi.json
var description []byte

// describe is GET /openapi.json. Everybody may read it.
func describe(c *call) *protocol.Error {
	c.write(description) // not counted as held: all answers share it
	return nil
}
