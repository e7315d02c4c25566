package api

import (
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// notYet answers for a route that is described and not built yet.
func notYet(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	problem.WriteStatus(c.w, http.StatusNotImplemented, "this is described and not built yet")
	return nil
}
