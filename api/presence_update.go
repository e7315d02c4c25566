package api

import (
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// updated is the answer to an update of a member. It is the payload of `ack`.
type updated struct {
	Channel string `json:"channel"`
}

// updateMember is POST /channels/{channel}/presence. It is the command `presence` for clients with an
// event stream.
func updateMember(c *call) *protocol.Error {
	streams := &c.o.Registry.Streams
	e := c.enter(func(by session.Caller) *protocol.Error { return streams.MayUpdate(by) })
	if e != nil {
		return e
	}
	if !c.bodyIsJSON() {
		return nil
	}
	body, e := c.readJSON(c.bodyLimit())
	if e != nil {
		return e
	}
	q, e := protocol.DecodeStreamPresence(c.name, body)
	if e != nil {
		return e
	}
	if e := streams.Update(c.r.Context(), c.o.Caller, q); e != nil {
		return e
	}
	return c.replyValue(updated{q.Channel})
}
