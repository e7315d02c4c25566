package api

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// result is the answer to a call.
type result struct {
	Result json.RawMessage `json:"result"`
}

// callApp is POST /call, for clients with an event stream.
func callApp(c *call) *protocol.Error {
	e := c.enter(func(by session.Caller) *protocol.Error { return c.o.Registry.MayCall(by) })
	if e != nil {
		return e
	}
	if !c.bodyIsJSON() {
		return nil
	}
	body, e := c.read(c.bodyLimit())
	if e != nil {
		return e
	}
	if e = validJSON(body); e != nil {
		return e
	}
	q, e := protocol.DecodeCall(body)
	if e != nil {
		return e
	}
	answer, e := c.o.Registry.Call(c.r.Context(), c.o.Caller, q)
	if e != nil {
		return e
	}
	return c.replyValue(result{answer})
}
