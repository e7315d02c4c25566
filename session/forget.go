package session

import (
	"context"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Forgotten is the outcome of forgetting a user.
type Forgotten struct {
	// Members is in how many rooms the user was remembered as an absent member.
	Members int `json:"members"`
	// Revocations is how many revocations of the user's tokens were dropped.
	Revocations int `json:"revocations"`
	// Nodes is how many nodes dropped the revocations, with this one. Pending is how many
	// received the order and have not confirmed it.
	Nodes   int `json:"nodes"`
	Pending int `json:"pending,omitempty"`
}

// Forget forgets that a user was a member of rooms which remember members that have left. Rooms
// in which the user is present remember the user again later. It also drops the revocations of
// the user's tokens on all nodes, if the parameter says so: the tokens then count again. The
// error is UNAVAILABLE if not all of it was done; a repeat does the rest.
func (r *Registry) Forget(ctx context.Context, user string, revocations bool) (Forgotten, *protocol.Error) {
	done := Forgotten{Nodes: 1}
	if t := r.Presence.tracker; t != nil {
		n, err := t.Forget(ctx, user)
		if done.Members = n; err != nil {
			return done, protocol.AsError(err)
		}
	}
	if !revocations {
		return done, nil
	}
	var e *protocol.Error
	var told Ended
	done.Revocations, told, e = r.Revocations.pardon(ctx, user)
	done.Nodes, done.Pending = told.Nodes, told.Pending
	return done, e
}

// pardon is the order to drop revocations. It names each one, so that a revocation which this
// node does not know yet stays in force on all nodes.
type pardon struct {
	User string   `json:"user"`
	IDs  []string `json:"ids"`
}

// maxPardonBytes bounds the ids in one order, so that the order stays below [hub.MaxOrder] with
// every byte of them escaped.
const maxPardonBytes = hub.MaxOrder / 8

// pardon drops the revocations of a user, here last: if the other nodes can not be told, a
// repeat still knows them.
//
// A node that was cut off for so long that Redis has dropped the order keeps the revocations
// until they end.
func (r *Revocations) pardon(ctx context.Context, user string) (n int, told Ended, e *protocol.Error) {
	told.Nodes = 1
	if r.uninformed.Load() {
		return 0, told, retry(protocol.Unavailable, "this server does not know yet what is revoked", time.Second, 10*time.Second)
	}
	ids := r.list.Of(user, time.Now())
	slices.Sort(ids)
	for len(ids) > 0 {
		part := pardonPart(ids)
		ends := make([]string, len(part))
		for i, id := range part {
			ends[i] = (&revocation{User: user, ID: id}).name()
		}
		told, e = r.cluster.send(ctx, 0, order{Pardon: &pardon{user, part}}, hub.Order{Ends: ends})
		if e != nil {
			return n, told, e
		}
		r.list.Drop(user, part)
		n, ids = n+len(part), ids[len(part):]
	}
	return n, told, nil
}

// pardonPart returns as many of the ids as one order can have, but at least one.
func pardonPart(ids []string) []string {
	size := 0
	for i, id := range ids {
		if size += len(id) + 1; i > 0 && size > maxPardonBytes {
			return ids[:i]
		}
	}
	return ids
}
