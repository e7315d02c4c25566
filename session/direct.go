package session

import (
	"context"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// direct decides about the addressee of a message that is fine otherwise. Whoever may
// see the members is told when the addressee is not among them. To all others every
// address is as good as the next one: nobody looks whether it is there, so that neither
// the answer nor the time that it takes says so.
func (r *Registry) direct(ctx context.Context, u *rules, room *policy.Room, c Caller, channel string, to hub.Address) (*hub.Direct, *protocol.Error) {
	if r.members == nil || room == nil || room.Members == nil {
		return nil, withoutPresence()
	}
	d := &hub.Direct{To: to}
	if !c.App {
		d.From = hub.Address{User: c.User(), Connection: c.Connection}
	}
	if !r.sees(ctx, u, c, channel) {
		return d, nil
	}
	there, err := r.members.Present(ctx, channel, to.Member())
	if err == nil && !there {
		return nil, protocol.Errorf(protocol.NotPresent, "the addressee is not in this channel")
	}
	return d, r.failed("publish", err)
}

// sees reports whether a caller may see who is in a room. Who is subscribed has been
// asked about already.
func (r *Registry) sees(ctx context.Context, u *rules, c Caller, channel string) bool {
	if u.may(c, policy.Presence, channel) != nil {
		return false
	}
	if conn, there := r.hub.Conn(c.Connection); there && slices.Contains(conn.Channels(), channel) {
		return true
	}
	return u.consult(ctx, c, auth.Subscribe, channel) == nil
}
