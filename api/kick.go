package api

import (
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// ended is [session.Ended] as JSON.
type ended struct {
	Connections int `json:"connections"`
	Nodes       int `json:"nodes"`
	Pending     int `json:"pending,omitempty"`
}

// replyEnded answers with the result of a kick or revocation, or returns its error.
func (c *call) replyEnded(done session.Ended, e *protocol.Error) *protocol.Error {
	if e != nil {
		return e
	}
	return c.replyValue(ended(done))
}

// kickUser is DELETE /users/{user}/connections.
func kickUser(c *call) *protocol.Error {
	reason, e := c.kickReason()
	if e != nil {
		return e
	}
	return c.replyEnded(c.o.Registry.Kicks.User(c.r.Context(), c.name, reason))
}

// kickConnection is DELETE /connections/{connection}. It is no error if the connection is
// gone already.
func kickConnection(c *call) *protocol.Error {
	reason, e := c.kickReason()
	if e != nil {
		return e
	}
	return c.replyEnded(c.o.Registry.Kicks.Connection(c.r.Context(), c.name, reason))
}

// kickReason reads the close code and reason for the connections. They may be in the body,
// or in the query, because not every program can send a body with DELETE.
func (c *call) kickReason() (hub.Reason, *protocol.Error) {
	if e := c.appOnly(); e != nil {
		return hub.Reason{}, e
	}
	m, e := c.order("code", "reason")
	if e != nil {
		return hub.Reason{}, e
	}
	code, e := m.integer("code")
	if e != nil {
		return hub.Reason{}, e
	}
	text, e := m.text("reason")
	if e != nil {
		return hub.Reason{}, e
	}
	query := c.r.URL.Query()
	if s := query.Get("code"); s != "" {
		if code, e = parseCode(s); e != nil {
			return hub.Reason{}, e
		}
	}
	if s := query.Get("reason"); s != "" {
		text = s
	}
	return session.KickReason(int(code), text)
}

func parseCode(s string) (int64, *protocol.Error) {
	code, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, protocol.Errorf(protocol.InvalidMessage, "the parameter code is %s; it must be an integer", protocol.Quote(s))
	}
	return code, nil
}
