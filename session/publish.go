package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/tracing"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Publish publishes a message of the client. It is called within [Session.Receive], which
// writes what the room sends to the client itself, at the latest when it returns: an `ack`
// leaves in the same write. Errors are those of [Publishing.Publish].
func (s *Session) Publish(ctx context.Context, p protocol.Publish) (hub.Published, *protocol.Error) {
	if e := s.MustAuthenticate(); e != nil {
		return hub.Published{}, e
	}
	c := s.callerIn(p.Channel)
	c.conn = s.conn
	return s.registry.Publishing.publish(ctx, c, p, func(r policy.Rate, now time.Time) time.Duration {
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

	answers appAnswers // of the app
}

// Publish publishes a message for a caller of the HTTP API. It checks the caller's message
// rate, the secret of its stream, the permission, the size, the room's rate and its rules about content, and hands the
// message to the hub. Errors are those of [Registry.May], TOO_LARGE, RATE_LIMITED and
// SCHEMA_VIOLATION; for a message to one member NOT_PRESENT, and FORBIDDEN in rooms without
// presence; UNAVAILABLE or INTERNAL if the hub fails or the room has too much to deliver.
func (p *Publishing) Publish(ctx context.Context, c Caller, q protocol.Publish) (hub.Published, *protocol.Error) {
	if e := p.rates.spend(c); e != nil {
		return hub.Published{}, e
	}
	c, e := c.asStream(q.Secret)
	if e != nil {
		return hub.Published{}, e
	}
	q.Secret = ""
	return p.publish(ctx, c, q, p.rates.of(c, q.Channel))
}

// publish is Publish without the caller's message rate. take takes from the room's rate.
func (p *Publishing) publish(ctx context.Context, c Caller, q protocol.Publish, take takeFunc) (done hub.Published, e *protocol.Error) {
	ctx, end := tracing.Start(ctx, "realtime.publish", q.Channel)
	done, e = p.checkAndPublish(ctx, c, q, take)
	end(e.AsGo())
	return done, e
}

// checkAndPublish is publish without its span.
func (p *Publishing) checkAndPublish(ctx context.Context, c Caller, q protocol.Publish, take takeFunc) (hub.Published, *protocol.Error) {
	if q.Volatile && q.Key != "" {
		return hub.Published{}, protocol.Errorf(protocol.InvalidMessage, "a volatile message has no \"key\": nobody repeats it")
	}
	now, u := time.Now(), p.rules.Load()
	room, e := u.room(c, policy.Publish, q.Channel)
	if e != nil {
		return hub.Published{}, e
	}
	content, e := p.accept(ctx, u, room, c, q, now, take)
	if e != nil {
		return hub.Published{}, e
	}
	m := &hub.Message{Channel: q.Channel, Content: content, Event: q.Event, Tags: q.Tags, Sender: sender(c), Except: q.Except, Time: now, Volatile: q.Volatile}
	if q.To != nil {
		if m.Direct, e = p.direct(ctx, u, room, c, q.Channel, *q.To); e != nil {
			return hub.Published{}, e
		}
	}
	if e = p.rates.spendTotal(c, room, q.Channel, "messages", now); e != nil {
		return hub.Published{}, e
	}
	if h := u.messageHandler(c, q.Channel); h != nil {
		q.Content = content
		return p.publishHandled(ctx, handled{handler: h, rules: u, room: room, caller: c, said: q, message: m})
	}
	return p.send(ctx, c, m, scoped(c, q.Key))
}

// send hands a message that has passed all checks to the hub.
func (p *Publishing) send(ctx context.Context, c Caller, m *hub.Message, key string) (hub.Published, *protocol.Error) {
	size := len(m.Content)
	done, err := p.hub.PublishFrom(ctx, c.conn, m, key)
	if err == nil {
		p.rules.counts.publish(c.source(), size, done.Duplicate)
	}
	return done, p.rules.failed("publish", err)
}

// accept checks a message and returns its content as it is to be published. It takes the
// publisher's token first, because the question to the app and the check of the content cost
// most. The room's rules about content apply to the app only if it wants that.
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

// sender is the name under which a message is published.
func sender(c Caller) string {
	switch user := memberOf(c); {
	case user != "":
		return user
	case c.App:
		return ""
	case c.Connection != "":
		return c.Connection
	case c.stream != "":
		return c.stream
	}
	// An anonymous request without a stream has no connection, and an empty sender would look like the app.
	// It gets an id like that of a connection.
	return strings.ToLower(rand.Text()[:16])
}

// memberOf returns the id of the caller as a member that is no anonymous connection: the one that its
// pass names, or its user. It is empty if there is neither.
func memberOf(c Caller) string {
	if c.pass != nil && c.pass.Member != nil {
		return c.pass.Member.ID
	}
	if c.App {
		return ""
	}
	return c.User()
}

// direct checks the addressee of a message that is fine otherwise. A caller that may see the
// members gets an error if the addressee is not among them. For all other callers the members
// are not searched, so that neither the answer nor its delay tells whether the addressee is
// present.
func (p *Publishing) direct(ctx context.Context, u *rules, room *policy.Room, c Caller, channel string, to hub.Address) (*hub.Direct, *protocol.Error) {
	if p.presence.tracker == nil || room == nil || room.Members == nil {
		return nil, withoutPresence()
	}
	d := &hub.Direct{To: to}
	if !c.App {
		d.From = hub.Address{User: memberOf(c), Connection: cmp.Or(c.Connection, c.stream)}
	}
	if !p.sees(ctx, u, c, channel) {
		return d, nil
	}
	key, as := to.User, presence.User
	if key == "" {
		key, as = to.Connection, presence.Connection
	}
	there, err := p.presence.tracker.Present(ctx, channel, key, as)
	if err == nil && !there {
		return nil, protocol.Errorf(protocol.NotPresent, "the addressee is not in this channel")
	}
	return d, p.rules.failed("publish", err)
}

// sees reports whether a caller may see the members of a room. The app is not asked about a
// connection that is subscribed: it was asked then.
func (p *Publishing) sees(ctx context.Context, u *rules, c Caller, channel string) bool {
	if u.may(c, policy.Presence, channel) != nil {
		return false
	}
	if conn, there := p.hub.Conn(c.Connection); there && slices.Contains(conn.Channels(), channel) {
		return true
	}
	return u.askApp(ctx, c, auth.Subscribe, channel) == nil
}

// unguessable is the length from which a random key can not be guessed: 16 letters and digits
// have over 80 bits. The keys of the browser client have about 20 characters.
const unguessable = 16

// scoped is the idempotency key as the broker sees it: the client's key after a prefix that
// says whose key it is. The length of a user precedes the user, so that no two pairs of user
// and key look alike.
//
// Each API key has a scope of its own. Otherwise a key with few permissions could make a
// message of a powerful key a duplicate, which is not delivered.
//
// An anonymous client that reconnects to repeat a message can not be recognized, so all
// anonymous clients share one scope for long keys. A short key counts within its connection
// alone: otherwise the messages of two clients that count from 1 would be taken for repeats,
// and any client could do that to others on purpose.
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
