package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Control sends orders to the other nodes of a hub, and hands the orders of other nodes to
// the [Registry].
type Control interface {
	// Order makes every other node carry out an order. A node that can not be reached
	// now does it as soon as it can, if it has been running since. Order waits a moment
	// for the answers. An error wraps [hub.ErrUnavailable]; other nodes may have
	// received the order all the same. A control that keeps orders in a file returns
	// [hub.ErrNotStored].
	Order(ctx context.Context, o hub.Order) (hub.Answers, error)
}

// Ended is the outcome of an order to close connections.
type Ended struct {
	// Connections is how many connections the nodes that have answered closed. Nodes is the
	// number of these nodes, with this one.
	Connections, Nodes int
	// Pending is how many nodes are known and have not confirmed the order. A node that did
	// not answer in time, or is cut off, carries it out as soon as it can. A node of another
	// version may not understand it. A node that has died counts until its lease is over.
	Pending int
}

// cluster sends orders to the other nodes of the hub.
type cluster struct {
	// Static before the first session is opened.
	rules   *current
	control Control // nil: there are no other nodes
}

// order sends the other nodes an order that this node has already carried out. here is how
// many connections it closed. The error says that other nodes may not have the order, or that it
// is not stored.
func (c *cluster) order(ctx context.Context, here int, o order, name string, lasts time.Duration) (Ended, *protocol.Error) {
	return c.send(ctx, here, o, hub.Order{Name: name, Lasts: lasts})
}

// send is order for one that may also end standing orders. It sets the body.
func (c *cluster) send(ctx context.Context, here int, o order, out hub.Order) (Ended, *protocol.Error) {
	done := Ended{Connections: here, Nodes: 1}
	if c.control == nil {
		return done, nil
	}
	var err error
	var answers hub.Answers
	if out.Body, err = o.encode(); err == nil {
		answers, err = c.control.Order(ctx, out)
	}
	switch {
	case errors.Is(err, hub.ErrNotStored):
		c.rules.Load().log.Warn("what the app ordered could not be stored", "error", err)
		return done, retry(protocol.Unavailable, "this could not be stored, so that a restart would undo it; send it again", time.Second, 3*time.Second)
	case err != nil:
		c.rules.Load().log.Warn("other nodes could not be told what the app ordered", "error", err)
		return done, retry(protocol.Unavailable, "this is done on one server, but the others could not be told; send it again", time.Second, 3*time.Second)
	}
	done.Connections += answers.Ended
	done.Nodes += answers.Nodes
	done.Pending = answers.Pending
	return done, nil
}

// order is what one node wants the others to do. It has one of the fields. An order without
// any is of a newer version.
type order struct {
	Kick   *kick       `json:"kick,omitempty"`
	Revoke *revocation `json:"revoke,omitempty"`
	Enroll *enrollment `json:"enroll,omitempty"`
	Pardon *pardon     `json:"pardon,omitempty"`
}

// kick closes one connection, or those of a user.
type kick struct {
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
	Code       uint16 `json:"code"`
	Reason     string `json:"reason,omitempty"`
}

func (k *kick) reason() hub.Reason { return hub.Reason{Code: k.Code, Text: k.Reason} }

// revocation is an [auth.Revocation] on its way to other nodes.
type revocation struct {
	User string `json:"user,omitempty"`
	ID   string `json:"id,omitempty"`
	// Before and Until are microseconds since 1970, rounded up; 0 means none.
	Before int64 `json:"beforeMicros,omitempty"`
	Until  int64 `json:"untilMicros,omitempty"`
	// OldBefore and OldUntil are the same times for nodes of an earlier version, which
	// read nothing else. A node of an earlier version sends only these.
	OldBefore time.Time `json:"before,omitzero"`
	OldUntil  time.Time `json:"until,omitzero"`
}

// firstYear and lastYear bound the times of a revocation. The text form of times can not
// hold others.
const (
	firstYear = 1971
	lastYear  = 9999
)

// newRevocation makes the form for other nodes. A time that it can not hold is an error.
func newRevocation(v auth.Revocation) (*revocation, error) {
	o := &revocation{User: v.User, ID: v.ID, OldBefore: v.Before.UTC(), OldUntil: v.Until.UTC()}
	for _, t := range []time.Time{o.OldBefore, o.OldUntil} {
		if year := t.Year(); !t.IsZero() && (year < firstYear || year > lastYear) {
			return nil, fmt.Errorf("session: a revocation has a time outside of the years %d to %d", firstYear, lastYear)
		}
	}
	o.Before, o.Until = micros(v.Before), micros(v.Until)
	return o, nil
}

// micros rounds up, so that a revocation covers no less on another node.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(time.Microsecond - 1).UnixMicro()
}

func (v *revocation) revocation() auth.Revocation {
	return auth.Revocation{User: v.User, ID: v.ID, Before: moment(v.Before, v.OldBefore), Until: moment(v.Until, v.OldUntil)}
}

func moment(micros int64, old time.Time) time.Time {
	if micros == 0 {
		return old
	}
	return time.UnixMicro(micros)
}

// errOrder means that an order is empty, or of a newer version.
var errOrder = errors.New("session: the order has nothing that this version knows")

// encode returns the form for other nodes. An empty order is an error: it would replace a
// standing order by nothing.
func (o order) encode() ([]byte, error) {
	if o == (order{}) {
		return nil, errOrder
	}
	return json.Marshal(o)
}

func decodeOrder(body []byte) (o order, err error) {
	if err = json.Unmarshal(body, &o); err == nil && o == (order{}) {
		err = errOrder
	}
	return o, err
}

// name is the name under which a revocation is a standing order. A later revocation of the
// same subject replaces the earlier one, as in [auth.Revocations].
func (v *revocation) name() string {
	name, _ := json.Marshal([2]string{v.User, v.ID}) // can not fail: strings have a JSON form
	return string(name)
}
