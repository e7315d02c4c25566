package session

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// ask asks the app about an action that the policy allows. asked is false if the realm
// does not ask about such actions.
func (u *rules) ask(ctx context.Context, c Caller, what auth.Action, channel string) (a auth.Answer, asked bool, e *protocol.Error) {
	p := c.who()
	realm := u.realms[p.Realm]
	if c.App || realm.Authorize == nil || realm.Ask&what == 0 {
		return a, false, nil
	}
	a, err := realm.Authorize.Authorize(ctx, auth.Question{Action: what, Channel: channel, User: p.User, Handshake: p.Handshake, From: p.From()})
	switch {
	case err == nil:
		return a, true, nil
	case errors.Is(err, auth.ErrDenied):
		e = protocol.Errorf(protocol.Forbidden, "the app does not allow it")
		e.Detail = err.Error()
		return a, true, e
	case errors.Is(err, auth.ErrUnauthorized):
		e = protocol.Errorf(protocol.Unauthorized, "the app wants you to sign in")
		e.Detail = err.Error()
		return a, true, e
	}
	u.log.Log(ctx, u.loudness(ctx, undecided), "the app did not answer what a client may do", "action", what.String(), "channel", channel, "error", err)
	return a, true, appUnavailable()
}

// askApp is ask for actions where the answer is only yes or no.
func (u *rules) askApp(ctx context.Context, c Caller, what auth.Action, channel string) *protocol.Error {
	_, _, e := u.ask(ctx, c, what, channel)
	return e
}

// answered returns p as an answer of the app describes it.
func (p *Principal) answered(a auth.Answer) (*Principal, error) {
	next := *p
	if !auth.ValidUser(a.User) {
		return nil, errors.New("session: the user is too long, or has control characters or space around it")
	}
	next.User = cmp.Or(a.User, p.User)
	if len(a.Info) > 0 {
		next.Info = a.Info
	}
	if next.AsOf = a.Asked; a.Asked.IsZero() {
		next.AsOf = time.Now()
	}
	if p.Expires.IsZero() { // no token: the client is known by this answer
		next.Issued = next.AsOf
	}
	if p.Expires.IsZero() || !a.Expires.IsZero() && a.Expires.Before(next.Expires) {
		next.Expires = a.Expires
	}
	if a.Grants == nil {
		return &next, nil
	}
	var err error
	next.Grants, err = compileGrants(a.Grants)
	return &next, err
}

// forgetful is an optional ability of an [auth.Authorizer] that caches answers: to drop the
// answers about a user.
type forgetful interface{ Forget(user string) }

// forget drops the app's remembered answers about a user that is kicked or whose tokens
// are revoked. A client that comes back at once would otherwise be accepted by the answer
// from before.
func (u *rules) forget(user string) {
	for _, realm := range u.realms {
		if cache, ok := realm.Authorize.(forgetful); ok {
			cache.Forget(user)
		}
	}
}

// fault is a way in which the app fails.
type fault int

const (
	undecided fault = iota // no answer to what a client may do
	silent                 // no answer to a message or a call
	unusable               // an answer that the server cannot use
	waysToFail
)

// loudness is the level at which to log a failure of the app. It is a warning every ten
// seconds at most, because the failure hits every client. Each way to fail counts by
// itself: an app that is slow now and then must not hide why its answers are not used. If
// the client went away or the connection ended meanwhile, the app did not fail.
func (u *rules) loudness(ctx context.Context, f fault) slog.Level {
	if ctx.Err() != nil {
		return slog.LevelDebug
	}
	now, last := time.Now().Unix(), u.warned[f].Load()
	if now-last < 10 || !u.warned[f].CompareAndSwap(last, now) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

func appUnavailable() *protocol.Error {
	return retry(protocol.Unavailable, "the app did not answer whether you may do this, try again", time.Second, 5*time.Second)
}
