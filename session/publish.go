package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Publish publishes a message of the client. Errors are those of [Publishing.Publish].
func (s *Session) Publish(ctx context.Context, p protocol.Publish) (hub.Published, *protocol.Error) {
	if e := s.MustAuthenticate(); e != nil {
		return hub.Published{}, e
	}
	return s.registry.Publishing.publish(ctx, s.caller(), p, func(r policy.Rate, now time.Time) time.Duration {
		return s.rooms.take(p.Channel, r, now)
	})
}

// Publishing publishes messages and reads those that rooms keep.
type Publishing struct {
	// Static.
	hub      *hub.Hub
	rules    *current
	rates    *Rates
	presence *Presence
}

// Publish publishes for a caller of the HTTP API: it checks the caller's message
// rate, permission, size, the room's rate and its rules about content, and hands
// the message to the hub. Errors are those of [Registry.May], TOO_LARGE,
// RATE_LIMITED, SCHEMA_VIOLATION, for a message to one member FORBIDDEN in rooms without
// presence and NOT_PRESENT, and, when the hub fails or the room has too much to deliver,
// UNAVAILABLE or INTERNAL.
func (p *Publishing) Publish(ctx context.Context, c Caller, q protocol.Publish) (hub.Published, *protocol.Error) {
	if e := p.rates.spend(c); e != nil {
		return hub.Published{}, e
	}
	return p.publish(ctx, c, q, p.rates.of(c, q.Channel))
}

// publish does what both ways of publishing have in common.
func (p *Publishing) publish(ctx context.Context, c Caller, q protocol.Publish, take takeFunc) (hub.Published, *protocol.Error) {
	now, u := time.Now(), p.rules.Load()
	room, e := u.room(c, policy.Publish, q.Channel)
	if e != nil {
		return hub.Published{}, e
	}
	content, e := p.accept(ctx, u, room, c, q, now, take)
	if e != nil {
		return hub.Published{}, e
	}
	m := &hub.Message{Channel: q.Channel, Content: content, Event: q.Event, Sender: sender(c), Time: now}
	if q.To != nil {
		if m.Direct, e = p.direct(ctx, u, room, c, q.Channel, *q.To); e != nil {
			return hub.Published{}, e
		}
	}
	if e = p.rates.spendTotal(c, room, q.Channel, "messages", now); e != nil {
		return hub.Published{}, e
	}
	done, err := p.hub.Publish(ctx, m, scoped(c, q.Key))
	return done, p.rules.failed("publish", err)
}

// accept decides about a message and gives its content as it is to be published.
// The publisher's token is taken before anybody is asked and the content is looked
// at, which is what costs most. The app may leave the room's rules about content
// aside.
func (p *Publishing) accept(ctx context.Context, u *rules, room *policy.Room, c Caller, q protocol.Publish, now time.Time, take takeFunc) (json.RawMessage, *protocol.Error) {
	if len(q.Content) > u.limits.MessageSize {
		return nil, protocol.Errorf(protocol.TooLarge, "content is larger than %d bytes", u.limits.MessageSize)
	}
	if c.App && !c.Validate {
		return q.Content, nil
	}
	e := p.rates.pace(c, room, q.Channel, "messages", now, take)
	if e == nil {
		e = u.askApp(ctx, c, auth.Publish, q.Channel)
	}
	if e != nil {
		return nil, e
	}
	return room.Check(q.Content)
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

// direct decides about the addressee of a message that is fine otherwise. A caller that
// may see the members gets an error when the addressee is not among them. For all other
// callers nobody looks whether the addressee is there, so that neither the answer nor the
// time that it takes says so.
func (p *Publishing) direct(ctx context.Context, u *rules, room *policy.Room, c Caller, channel string, to hub.Address) (*hub.Direct, *protocol.Error) {
	if p.presence.tracker == nil || room == nil || room.Members == nil {
		return nil, withoutPresence()
	}
	d := &hub.Direct{To: to}
	if !c.App {
		d.From = hub.Address{User: c.User(), Connection: c.Connection}
	}
	if !p.sees(ctx, u, c, channel) {
		return d, nil
	}
	there, err := p.presence.tracker.Present(ctx, channel, to.Member())
	if err == nil && !there {
		return nil, protocol.Errorf(protocol.NotPresent, "the addressee is not in this channel")
	}
	return d, p.rules.failed("publish", err)
}

// sees reports whether a caller may see the members of a room. The app was asked about a
// subscribed connection already.
func (p *Publishing) sees(ctx context.Context, u *rules, c Caller, channel string) bool {
	if u.may(c, policy.Presence, channel) != nil {
		return false
	}
	if conn, there := p.hub.Conn(c.Connection); there && slices.Contains(conn.Channels(), channel) {
		return true
	}
	return u.askApp(ctx, c, auth.Subscribe, channel) == nil
}

// unguessable is how long a key is that nobody finds by trying, if its client has
// chosen it at random: 16 letters and digits have over 80 bits. Those of the browser
// client have about 20.
const unguessable = 16

// scoped is the idempotency key as the broker sees it: the client's own, behind a
// prefix that says whose it is. The length of a user stands before the user, so that
// no choice of user and key looks like another pair.
//
// Each API key has a scope of its own: one that may do little would otherwise make a
// message of one that may do everything a duplicate, which nobody gets.
//
// Nothing says who an anonymous client is when it comes back to repeat what it does
// not know to have arrived, so that all of them share one scope. A short key is for
// its connection alone, or else two that count from 1 would take each other's
// messages for repeats, and anybody could have those of others taken for that.
func scoped(c Caller, key string) string {
	switch {
	case key == "":
		return ""
	case c.App:
		return owned("s", c.Key, key)
	case c.User() != "":
		return owned("u", c.User(), key)
	case len(key) >= unguessable:
		return "a:" + key
	case c.Connection != "":
		return owned("c", c.Connection, key)
	}
	return owned("i", c.who().From().String(), key)
}

func owned(kind, owner, key string) string {
	return kind + strconv.Itoa(len(owner)) + ":" + owner + key
}
