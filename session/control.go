package session

import (
	"context"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Control brings orders to the other nodes of a hub. Those that it hears from them
// it gives to the [Registry].
type Control interface {
	// Order has every other node carry out an order, also those that can not be
	// reached now, as soon as they can, if they have been running since. It waits a
	// moment for their answers. An error wraps [hub.ErrUnavailable]; the order may
	// have been given all the same.
	Order(ctx context.Context, o hub.Order) (hub.Answers, error)
}

// WithControl has orders to end connections carried out by all nodes; without it
// they are for this node alone. open makes the control, which gives the orders of
// others to the registry. Until that is [Registry.Informed] it takes no tokens, since
// nobody knows yet which of them were revoked. It is called before the first session
// is opened, and returns r.
func (r *Registry) WithControl(open func(hub.Executor) Control) *Registry {
	r.uninformed.Store(true)
	r.control = open(r)
	r.heads, _ = r.control.(Headcount)
	return r
}

// Ended says what became of an order to end connections.
type Ended struct {
	// Connections is how many were ended by the nodes that have answered, and Nodes
	// how many nodes those are, this one among them.
	Connections, Nodes int
	// Pending is how many nodes were told and have not done it. Those that did not
	// answer in time do it as soon as they can; a node of another version may not
	// understand the order.
	Pending int
}

var _ hub.Executor = (*Registry)(nil)

// order has the other nodes do what this one has done, which ended some connections.
// The error says that they may not know.
func (r *Registry) order(ctx context.Context, here int, o order, name string, lasts time.Duration) (Ended, *protocol.Error) {
	done := Ended{Connections: here, Nodes: 1}
	if r.control == nil {
		return done, nil
	}
	body, err := o.encode()
	var answers hub.Answers
	if err == nil {
		answers, err = r.control.Order(ctx, hub.Order{Body: body, Name: name, Lasts: lasts})
	}
	if err != nil {
		r.rules.Load().log.Warn("other nodes could not be told to end connections", "error", err)
		return done, retry(protocol.Unavailable, "this is done on one server, but the others could not be told; send it again", time.Second, 3*time.Second)
	}
	done.Connections += answers.Ended
	done.Nodes += answers.Nodes
	done.Pending = answers.Pending
	return done, nil
}

// Execute implements [hub.Executor].
func (r *Registry) Execute(body []byte, ago time.Duration) (ended int, err error) {
	o, err := decodeOrder(body)
	switch {
	case err != nil:
		r.rules.Load().log.Warn("an order of another node is not understood", "error", err)
	case o.Kick != nil && o.Kick.Connection != "":
		ended = r.kickConnection(o.Kick.Connection, o.Kick.reason())
	case o.Kick != nil:
		ended = r.kickUser(o.Kick.User, o.Kick.reason(), time.Now().Add(-ago))
	case o.Revoke != nil:
		ended = r.revoke(o.Revoke.revocation())
	}
	return ended, err
}

// Informed implements [hub.Executor].
func (r *Registry) Informed() { r.uninformed.Store(false) }

// Ready reports that the registry takes everybody, so that it has been informed.
func (r *Registry) Ready() bool { return !r.uninformed.Load() }

// Refuse says why an identity is not taken: its token was revoked, or it is not known
// yet which ones were. Nil: it is taken.
func (r *Registry) Refuse(id auth.Identity) *protocol.Error {
	switch {
	case !id.Expires.IsZero() && r.uninformed.Load():
		return retry(protocol.Unavailable, "tokens can not be checked at the moment", time.Second, 10*time.Second)
	case r.Revoked(id):
		return badToken()
	}
	return nil
}
