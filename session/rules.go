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
	// Realms are those that connections came through, by name.
	Realms map[string]Realm
	// Logger gets ended connections (debug) and failures; nil means none.
	Logger *slog.Logger
}

// DefaultDeadline is how long a client has to authenticate where it must: time for a
// slow network, and not enough to be worth holding connections open for.
const DefaultDeadline = 10 * time.Second

// Realm is what a route knows about the clients that may come through it. A connection
// keeps its realm's name only, so that it outlives the configuration of its route
// and lives by the one in force. In a realm that is gone nobody can authenticate.
type Realm struct {
	// Tokens verifies what clients authenticate with; nil: they can not.
	Tokens *auth.Verifier
	// Required says that a connection which nobody was recognized on has to
	// authenticate before it may do anything else.
	Required bool
	// Deadline is how long such a connection may take; 0 means
	// [DefaultDeadline].
	Deadline time.Duration
	// Authorize asks the app about what the policy allows already, for the actions in
	// Ask; nil: the app is not asked. An [auth.Guard] should stand in
	// front of it. A subscription that it allowed lasts until the client unsubscribes
	// or the policy forbids it.
	Authorize auth.Authorizer
	Ask       auth.Action
}

// current is the configuration in force. Registry.Apply swaps it in one step; a command
// loads it once, at its start.
type current struct{ atomic.Pointer[rules] }

// rules are a Config with its defaults filled in. But for warned they never change.
type rules struct {
	policy *policy.Policy
	limits Limits
	realms map[string]Realm
	log    *slog.Logger

	warned atomic.Int64 // see loudness
}

func newRules(c Config) *rules {
	return &rules{
		policy: c.Policy,
		limits: c.Limits.withDefaults(),
		realms: maps.Clone(c.Realms),
		log:    cmp.Or(c.Logger, slog.New(slog.DiscardHandler)),
	}
}

func (u *rules) may(c Caller, a policy.Action, channel string) *protocol.Error {
	_, e := u.room(c, a, channel)
	return e
}

// room is may that also gives the block of the channel.
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
	return room, room.Allow(a, &c.who().Subject, channel)
}

// mayRead decides about reading what is in a room without being in it. For the
// app that is the same as to subscribe.
func (u *rules) mayRead(ctx context.Context, c Caller, a policy.Action, channel string) *protocol.Error {
	if e := u.may(c, a, channel); e != nil {
		return e
	}
	return u.askApp(ctx, c, auth.Subscribe, channel)
}

// mustAuthenticate says why a principal may not do anything yet; nil: it may.
func (u *rules) mustAuthenticate(p *Principal) *protocol.Error {
	if p.Known() || !u.realms[p.Realm].Required {
		return nil
	}
	return protocol.Errorf(protocol.Unauthorized, "authenticate first")
}

// deadline is how long a client that must authenticate may take. One that can not do it
// on its connection was there before the realm required it.
func (u *rules) deadline(p *Principal) time.Duration {
	switch realm := u.realms[p.Realm]; {
	case realm.Tokens == nil:
		return 0
	case realm.Deadline > 0:
		return realm.Deadline
	}
	return DefaultDeadline
}

// appNotAsked reports whether a client came in before its realm asked the app. The app can
// not be asked later: nothing of the handshake was kept for it.
func (u *rules) appNotAsked(p *Principal) bool {
	return u.realms[p.Realm].Authorize != nil && p.Handshake == ""
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

// rateLimited is the error for a client that has to wait; nil without a wait.
func rateLimited(wait time.Duration, what string) *protocol.Error {
	if wait <= 0 {
		return nil
	}
	e := protocol.Errorf(protocol.RateLimited, "too many %s", what)
	e.RetryAfter = wait
	return e
}

func retry(code protocol.Code, text string, least, most time.Duration) *protocol.Error {
	e := protocol.Errorf(code, "%s", text)
	e.RetryAfter = least + rand.N(most-least)
	return e
}
