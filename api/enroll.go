package api

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// enrollOrder is a method of session.Enrollment.
type enrollOrder func(context.Context, session.Target, string) (session.Ended, *protocol.Error)

// enroll carries out an order about the subscriptions of a user or of a connection.
func (c *call) enroll(to session.Target, do enrollOrder) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	if _, e := c.order(); e != nil {
		return e
	}
	return c.replyEnded(do(c.r.Context(), to, c.second))
}

// subscribeUser is POST /users/{user}/channels/{channel}.
func subscribeUser(c *call) *protocol.Error {
	return c.enroll(session.Target{User: c.name}, c.o.Registry.Enrollment.Subscribe)
}

// unsubscribeUser is DELETE /users/{user}/channels/{channel}.
func unsubscribeUser(c *call) *protocol.Error {
	return c.enroll(session.Target{User: c.name}, c.o.Registry.Enrollment.Unsubscribe)
}

// subscribeConnection is POST /connections/{connection}/channels/{channel}.
func subscribeConnection(c *call) *protocol.Error {
	return c.enroll(session.Target{Connection: c.name}, c.o.Registry.Enrollment.Subscribe)
}

// unsubscribeConnection is DELETE /connections/{connection}/channels/{channel}.
func unsubscribeConnection(c *call) *protocol.Error {
	return c.enroll(session.Target{Connection: c.name}, c.o.Registry.Enrollment.Unsubscribe)
}
