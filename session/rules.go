package session

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Config is what may change while sessions live.
type Config struct {
	// Policy says who may do what; nil allows nothing.
	Policy *policy.Policy
	Limits Limits
	// Realms are those that connections come through, by name. One without options is the same
	// as one that is missing, except that it is known.
	Realms map[string]Realm
	// Counted reports whether a change of the number of subscriptions of a channel is made known; nil: of no
	// channel. It must not block. See [Audience].
	Counted func(channel string) bool
	// Watchlists says that clients may watch whether users are online. See [Watchlists].
	Watchlists bool
	// Logger gets ended connections (debug) and failures; nil means none.
	Logger *slog.Logger
}

// DefaultDeadline is how long a client that must authenticate may take. A slow network needs
// some seconds; more would invite clients to hold open connections that do nothing.
const DefaultDeadline = 10 * time.Second

// Realm is how a route identifies its clients. A connection keeps only the name of its realm:
// it may live longer than the configuration of its route, and uses the one in force. In a
// realm that no longer exists no client can authenticate.
type Realm struct {
	// Tokens verifies the tokens of clients; nil: clients can not authenticate.
	Tokens *auth.Verifier
	// Verifier verifies tokens from any source; nil: the realm takes none. It explains what
	// a token allows.
	Verifier *auth.Verifier
	// Required says that an anonymous connection must authenticate before it may do
	// anything else.
	Required bool
	// Deadline is how long such a connection may take; 0 means [DefaultDeadline].
	Deadline time.Duration
	// Authorize asks the app about the actions in Ask, if the policy allows them; nil: the
	// app is not asked. It should be behind an [auth.Guard]. A subscription that the app
	// allowed lasts until the client unsubscribes or the policy forbids it.
	Authorize auth.Authorizer
	Ask       auth.Action
	// Messages asks the app about what clients publish; nil: the app is not asked.
	Messages MessageHandler
	// Calls asks the app what clients call; nil: clients can not call it.
	Calls CallHandler
	// Channels asks the app who may be in the channels that a dialect asks about; nil: nobody may.
	Channels ChannelHandler
}

// AsksApp reports whether the app is asked anything, for which the handshake must be kept.
func (r *Realm) AsksApp() bool {
	return r.Authorize != nil || r.Messages != nil || r.Calls != nil || r.Channels != nil
}

// current is the configuration in force. Registry.Apply swaps it in one step; a command
// loads it once, at its start.
type current struct {
	atomic.Pointer[rules]

	counts counts // for operators
	lines  lines  // the same

	followed atomic.Pointer[[]followUntil] // nil: nobody
}

// rules are a Config with its defaults filled in. Only warned ever changes.
type rules struct {
	policy *policy.Policy
	limits Limits
	realms map[string]Realm
	log    *slog.Logger

	counted func(channel string) bool // nil: no channel

	asksApp bool // in some realm; static

	warned [waysToFail]atomic.Int64 // see loudness
}

func newRules(c Config) *rules {
	u := &rules{
		policy: c.Policy,
		limits: c.Limits.withDefaults(),
		realms: maps.Clone(c.Realms),

		counted: c.Counted,

		log: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)),
	}
	for _, r := range c.Realms {
		if r.AsksApp() {
			u.asksApp = true
		}
	}
	return u
}

// may is [Registry.May].
func (u *rules) may(c Caller, a policy.Action, channel string) *protocol.Error {
	_, e := u.room(c, a, channel)
	return e
}

// room is may, and returns the room that the channel belongs to.
func (u *rules) room(c Caller, a policy.Action, channel string) (*policy.Room, *protocol.Error) {
	if e := protocol.ValidChannel(channel); e != nil {
		return nil, e
	}
	room := u.policy.Match(channel)
	if c.App {
		if e := c.Scope.Allow(a, channel); e != nil {
			return nil, e
		}
		if room == nil {
			return nil, protocol.NoRoom(channel)
		}
		return room, nil
	}
	if c.pass.allows(a) && room.Opens(a) {
		return room, nil
	}
	return room, room.Allow(a, &c.who().Subject, channel)
}

// mayRead decides whether a caller may read a room without being in it. The app is asked as
// for a subscription.
func (u *rules) mayRead(ctx context.Context, c Caller, a policy.Action, channel string) *protocol.Error {
	if e := u.may(c, a, channel); e != nil {
		return e
	}
	return u.askApp(ctx, c, auth.Subscribe, channel)
}

// mustAuthenticate returns an error if the client must authenticate first.
func (u *rules) mustAuthenticate(p *Principal) *protocol.Error {
	if p.Known() || !u.realms[p.Realm].Required {
		return nil
	}
	return protocol.Errorf(protocol.Unauthorized, "authenticate first")
}

// deadline is how long a client that must authenticate may take. It is 0 if clients can not
// authenticate on a connection: such a client was accepted before the realm required tokens.
func (u *rules) deadline(p *Principal) time.Duration {
	switch realm := u.realms[p.Realm]; {
	case realm.Tokens == nil:
		return 0
	case realm.Deadline > 0:
		return realm.Deadline
	}
	return DefaultDeadline
}

// appNotAsked reports whether a client was accepted before its realm asked the app. The app
// can not be asked later, because the handshake was not kept.
func (u *rules) appNotAsked(p *Principal) bool {
	realm := u.realms[p.Realm]
	return realm.AsksApp() && p.Handshake == ""
}

// failed turns an error of the hub into one for the client, and logs the details that the
// client does not get. It uses the logger in force: a command may have waited while another
// configuration replaced the one it started with. Nil stays nil.
func (c *current) failed(what string, err error) *protocol.Error {
	if err == nil {
		return nil
	}
	e := *protocol.AsError(err)
	switch e.Code {
	case protocol.Internal:
		c.Load().log.Error("command failed", "command", what, "error", err)
	case protocol.Unavailable:
		// A store that is away fails the commands of all clients in the same moment.
		e.RetryAfter += rand.N(2 * time.Second)
	}
	return &e
}

// rateLimited returns the error for a client that must wait; nil without a wait.
func rateLimited(wait time.Duration, what string) *protocol.Error {
	if wait <= 0 {
		return nil
	}
	e := protocol.Errorf(protocol.RateLimited, "too many %s", what)
	e.RetryAfter = wait
	return e
}

// retry returns an error whose RetryAfter is random between least and most.
func retry(code protocol.Code, text string, least, most time.Duration) *protocol.Error {
	e := protocol.Errorf(code, "%s", text)
	e.RetryAfter = least + rand.N(most-least)
	return e
}
