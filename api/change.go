package api

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// answered has the members of both answers to a change. Their names are those of the
// payloads of `change-accepted` and `change-rejected`.
type answered struct {
	Channel       string `json:"channel"`
	LocalVersion  uint64 `json:"localVersion"`
	Epoch         string `json:"epoch"`
	ServerVersion uint64 `json:"serverVersion"`
	// Duplicate: the change was made before, and nothing was changed this time.
	Duplicate bool `json:"duplicate,omitempty"`
}

// rejection is the payload of `change-rejected`, and also a problem document.
type rejection struct {
	problem.Details
	answered
	Message     string          `json:"message"`
	ServerState json.RawMessage `json:"serverState"`
}

// proposeChange is POST /channels/{channel}/document/changes. It is the command `change`
// for clients without a WebSocket.
func proposeChange(c *call) *protocol.Error {
	// Registry.Propose decides again.
	e := c.enter(func(by session.Caller) *protocol.Error {
		if e := c.o.Registry.May(by, policy.Subscribe, c.name); e != nil {
			return e
		}
		return c.mayChange(by)
	})
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
	q, e := protocol.DecodeChangeOf(c.name, body)
	if e != nil {
		return e
	}
	validate, e := c.validate()
	if e != nil {
		return e
	}
	out, e := c.o.Registry.Documents.Propose(c.patient(), c.publisher(validate), q)
	if e != nil {
		return c.failed(e, false)
	}
	c.w.Header().Set("ETag", entityTag(out.Epoch, out.Version))
	a := answered{q.Channel, q.LocalVersion, out.Epoch, out.Version, out.Duplicate}
	if out.Err == nil {
		return c.replyValue(a)
	}
	e = session.DocumentError(out.Err)
	problem.WriteWith(c.w, e, func(d problem.Details) any {
		return rejection{d, a, e.Message, out.State}
	})
	return nil
}
