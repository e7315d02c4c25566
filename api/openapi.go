package api

import (
	_ "embed"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// description is the API in the form of OpenAPI 3.1.
//
//go:embed openapi.json
var description []byte

// describe is GET /openapi.json. Everybody may read it.
func describe(c *call) *protocol.Error {
	c.write(description) // which all answers share
	return nil
}
