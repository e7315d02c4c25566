package api

import (
	_ "embed"

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

// description is the API in the form of OpenAPI 3.1.
//
//go:embed openapi.json
var description []byte

// describe is GET /openapi.json. Everybody may read it.
func describe(c *call) *protocol.Error {
	c.write(description) // which all answers share
	return nil
}
