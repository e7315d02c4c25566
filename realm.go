package realtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// realm is where the options about who may come in are in force: the routes of a hub
// at one path, which is its name. Connections keep the name, so that after a reload
// they live by the options that the same route has by then.
type realm struct {
	// Static.
	config  realmConfig
	place   string // of the first route
	tokens  *auth.Verifier
	sources sources
	session session.Realm
}

// realmConfig is what a route says about its realm.
type realmConfig struct {
	Path      string
	Token     *config.Token
	Authorize *config.Authorize
}

// equal compares what the configurations say.
func (c *realmConfig) equal(o *realmConfig) bool {
	mine, err1 := json.Marshal(c)
	theirs, err2 := json.Marshal(o)
	return err1 == nil && err2 == nil && bytes.Equal(mine, theirs)
}

// realm gives a route its realm, or nil when it says nothing about one. Two routes at
// the same path of one hub share it, which takes the same options: a connection could
// not tell which of the routes it came through.
func (a *App) realm(ctx caddy.Context, hub string, c realmConfig, place string) (*realm, error) {
	u := a.hub(hub)
	if c.Token == nil && c.Authorize == nil {
		u.open[c.Path] = true
		return nil, nil
	}
	if there := u.realms[c.Path]; there != nil {
		if !there.config.equal(&c) {
			return nil, fmt.Errorf("'token' or 'authorize' is said differently by %s and by %s, which share the hub '%s'; give one of them another path or hub", there.place, place, hub)
		}
		return there, nil
	}
	r := &realm{config: c, place: place}
	if err := r.provision(ctx); err != nil {
		return nil, err
	}
	u.realms[c.Path] = r
	return r, nil
}

func (r *realm) provision(ctx caddy.Context) (err error) {
	if c := r.config.Token; c != nil {
		if err := r.provisionTokens(ctx, c); err != nil {
			return fmt.Errorf("token: %w", block.Trim("token", err))
		}
	}
	c := r.config.Authorize
	if c == nil {
		return nil
	}
	if r.session.Ask, err = c.Ask(); err == nil {
		r.session.Authorize, err = newAuthorizer(ctx, r.config.Path, c)
	}
	if err != nil {
		return fmt.Errorf("authorize: %w", err)
	}
	return nil
}

func (r *realm) provisionTokens(ctx caddy.Context, c *config.Token) (err error) {
	if r.tokens, err = newVerifier(c, os.ReadFile, ctx.Slogger().With("route", r.config.Path)); err != nil {
		return err
	}
	if inTheClear(c) {
		ctx.Slogger().Warn("a secret of 'token' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "route", r.config.Path)
	}
	if r.sources, err = c.Sources(); err != nil {
		return err
	}
	r.session.Required, r.session.Deadline = c.Required, time.Duration(c.Deadline)
	if r.sources.has(config.FromMessage) {
		r.session.Tokens = r.tokens
	}
	return nil
}

// openRealm is the name for connections of a route without options about who may come
// in. After a reload that gives the route such options it names their realm, unless
// another route at the path is still without: the two can not be told apart.
func openRealm(path string) string { return "open " + path }

// startRealms lets the verifiers fetch keys, until ctx ends, and hands the realms to
// the sessions with the rest of the settings.
func (u *hubUse) startRealms(ctx context.Context, log *slog.Logger) {
	realms := make(map[string]session.Realm, len(u.realms))
	u.use.Settings.Session.Realms, u.use.Verifiers = realms, verifiersOf(u.realms)
	u.node.HandKeys(u.use.Verifiers)
	for name, r := range u.realms {
		realms[name] = r.session
		if !u.open[name] {
			realms[openRealm(name)] = r.session
		}
		if r.tokens != nil {
			r.tokens.Start(ctx, func(err error) { reportKeys(log, r.config.Token.JWKS, err) })
		}
	}
}

func verifiersOf(realms map[string]*realm) map[string]*auth.Verifier {
	all := make(map[string]*auth.Verifier)
	for name, r := range realms {
		if r.tokens != nil {
			all[name] = r.tokens
		}
	}
	return all
}

// reportKeys logs what goes wrong with a key set.
func reportKeys(log *slog.Logger, url string, err error) {
	text := "the keys for tokens can not be fetched"
	if errors.Is(err, auth.ErrIgnored) {
		text = "keys for tokens can not be used and are ignored"
	}
	log.Warn(text, "url", url, "error", err)
}

// enter puts a client into the realm, which keeps the parts of the request that it will
// need. The nil realm changes nothing.
func (r *realm) enter(req *http.Request, p *session.Principal) (e *protocol.Error) {
	if r == nil {
		return nil
	}
	p.Realm = r.config.Path
	if r.session.Authorize != nil {
		p.Handshake, e = keep(req)
	}
	return e
}

// asks reports whether the app is asked who a request is from.
func (r *realm) asks() bool { return r != nil && r.session.Ask&auth.Connect != 0 }

// find looks for a token. The nil realm takes none.
func (r *realm) find(req *http.Request) string {
	if r == nil {
		return ""
	}
	return r.sources.token(req)
}

// parameters are the query parameters in which a token may be. The nil realm has none.
func (r *realm) parameters() []string {
	if r == nil {
		return nil
	}
	return r.sources.parameters()
}

// verifyTimeout bounds how long a request waits for the keys of the issuer.
const verifyTimeout = 5 * time.Second

// recognize returns the client with the identity of its token, and the client as it was
// when the token is not accepted.
func (r *realm) recognize(ctx context.Context, client *session.Principal, token string) (*session.Principal, error) {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	id, err := r.tokens.VerifyFrom(ctx, client.From(), token)
	if err != nil {
		return client, err
	}
	known, err := client.As(id, client.AsOf)
	if err != nil {
		return client, err
	}
	return known, nil
}

// bars says why a request may not go on; nil: it may. A WebSocket can authenticate
// later, if messages may bring tokens.
func (r *realm) bars(req *http.Request, p *session.Principal) *protocol.Error {
	switch {
	case r == nil, !r.session.Required, p.Known():
		return nil
	case ws.IsUpgrade(req) && r.session.Tokens != nil:
		return nil
	}
	return protocol.Errorf(protocol.Unauthorized, "a token is required here")
}
