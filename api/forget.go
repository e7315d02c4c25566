package api

import (
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// forgetUser is DELETE /users/{user}.
func forgetUser(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	revocations, e := flag(c.r.URL.Query(), "revocations", false)
	if e != nil {
		return e
	}
	done, e := c.o.Registry.Forget(c.r.Context(), c.name, revocations)
	if e != nil {
		return e
	}
	return c.replyValue(done)
}
