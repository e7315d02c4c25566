package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Publish publishes a message of the client. Errors are those of [Registry.Publish].
func (s *Session) Publish(ctx context.Context, p protocol.Publish) (hub.Published, *protocol.Error) {
	if e := s.MustAuthenticate(); e != nil {
		return hub.Published{}, e
	}
	return s.registry.publish(ctx, s.caller(), p, func(r policy.Rate, now time.Time) time.Duration {
		return s.rooms.take(p.Channel, r, now)
	})
}

// Publish publishes for a caller of the HTTP API: it checks the caller's message
// rate, permission, size, the room's rate and its rules about content, and hands
// the message to the hub. Errors are those of [Registry.May], TOO_LARGE,
// RATE_LIMITED, SCHEMA_VIOLATION, for a message to one member FORBIDDEN in rooms without
// presence and NOT_PRESENT, and, when the hub fails or the room has too much to deliver,
// UNAVAILABLE or INTERNAL.
func (r *Registry) Publish(ctx context.Context, c Caller, p protocol.Publish) (hub.Published, *protocol.Error) {
	if e := r.spend(c); e != nil {
		return hub.Published{}, e
	}
	return r.publish(ctx, c, p, func(rate policy.Rate, now time.Time) time.Duration {
		return r.rooms.take(roomKey{callerKey(c), p.Channel}, rate, now)
	})
}

// roomKey is a caller in a room.
type roomKey struct{ caller, channel string }

// takeFunc takes a token of a room's rate, or says how long until there is one.
type takeFunc func(policy.Rate, time.Time) time.Duration

// publish does what both ways of publishing have in common.
func (r *Registry) publish(ctx context.Context, c Caller, p protocol.Publish, take takeFunc) (hub.Published, *protocol.Error) {
	now, u := time.Now(), r.rules.Load()
	room, e := u.room(c, policy.Publish, p.Channel)
	if e != nil {
		return hub.Published{}, e
	}
	content, e := r.accept(ctx, u, room, c, p, now, take)
	if e != nil {
		return hub.Published{}, e
	}
	m := &hub.Message{Channel: p.Channel, Content: content, Event: p.Event, Sender: sender(c), Time: now}
	if p.To != nil {
		if m.Direct, e = r.direct(ctx, u, room, c, p.Channel, *p.To); e != nil {
			return hub.Published{}, e
		}
	}
	if e = r.spendTotal(c, room, p.Channel, "messages", now); e != nil {
		return hub.Published{}, e
	}
	done, err := r.hub.Publish(ctx, m, scoped(c, p.Key))
	return done, r.failed("publish", err)
}

// accept decides about a message and gives its content as it is to be published.
// The publisher's token is taken before anybody is asked and the content is looked
// at, which is what costs most. The app may leave the room's rules about content
// aside.
func (r *Registry) accept(ctx context.Context, u *rules, room *policy.Room, c Caller, p protocol.Publish, now time.Time, take takeFunc) (json.RawMessage, *protocol.Error) {
	if len(p.Content) > u.limits.MessageSize {
		return nil, protocol.Errorf(protocol.TooLarge, "content is larger than %d bytes", u.limits.MessageSize)
	}
	if c.App && !c.Validate {
		return p.Content, nil
	}
	e := r.pace(c, room, p.Channel, "messages", now, take)
	if e == nil {
		e = u.consult(ctx, c, auth.Publish, p.Channel)
	}
	if e != nil {
		return nil, e
	}
	return room.Check(p.Content)
}

// sender is the name a message is published under.
func sender(c Caller) string {
	switch {
	case c.App:
		return ""
	case c.User() != "":
		return c.User()
	case c.Connection != "":
		return c.Connection
	}
	// An anonymous request has no connection, and an empty sender would look like
	// the app: so it gets an id as if it had one.
	return strings.ToLower(rand.Text()[:16])
}
