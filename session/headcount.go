package session

import (
	"context"
	"maps"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Headcount is an optional ability of a [Control]: to know how many connections users
// have on other nodes. Without it the limit for a user counts on each node for itself.
type Headcount interface {
	// Elsewhere tells how many connections of a user the other nodes have. It may be
	// a little behind.
	Elsewhere(ctx context.Context, user string) (int, error)
	// Here says how many connections of a user this node has now. It does not block.
	Here(user string, n int)
	// Count begins with what this node has, in place of anything it was told before;
	// with nil it ends. It does not block and keeps the map.
	Count(all map[string]int)
}

// headcountTime bounds how long a handshake waits for the other nodes.
const headcountTime = time.Second

// AdmitUser decides whether somebody who turns out to be a user may have another
// connection, with those to other nodes counted. Connections that are made in the same
// moment to different nodes may go beyond the limit, and nodes that can not be asked are
// not counted: to keep everybody out would be worse. The errors are LIMIT_EXCEEDED, and
// RATE_LIMITED for a user who was thrown out too often.
func (r *Registry) AdmitUser(ctx context.Context, user string) *protocol.Error {
	if e := r.barred(&Principal{Subject: policy.Subject{User: user}}); e != nil {
		return e
	}
	limit := r.rules.Load().limits.ConnectionsPerUser
	if r.heads == nil || user == "" || limit <= 0 {
		return nil
	}
	here := r.here(user)
	if !over(here, limit) {
		ctx, cancel := context.WithTimeout(ctx, headcountTime)
		defer cancel()
		elsewhere, err := r.heads.Elsewhere(ctx, user)
		if err != nil {
			return nil
		}
		here += elsewhere
	}
	if over(here, limit) {
		return overcrowded("too many connections of this user")
	}
	return nil
}

// here is how many connections of a user this node has.
func (r *Registry) here(user string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.census.users[user]
}

// countUsers has users counted over all nodes while there is a limit to compare with.
func (r *Registry) countUsers(limit int) {
	if r.heads == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch count := limit > 0; {
	case count == r.counting:
	case count:
		all := maps.Clone(r.census.users)
		if all == nil {
			all = make(map[string]int)
		}
		r.counting = true
		r.heads.Count(all)
	default:
		r.counting = false
		r.heads.Count(nil)
	}
}

// tally changes the census by a connection. Needs mu.
func (r *Registry) tally(p *Principal, n int) {
	r.census.add(p, n)
	if r.counting && p.User != "" {
		r.heads.Here(p.User, r.census.users[p.User])
	}
}
