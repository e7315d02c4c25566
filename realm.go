package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// realm is where a token block is in force: the routes of a hub at one path, which
// is its name. Connections keep the name, so that after a reload they live by the
// block that the same route has by then.
type realm struct {
	name     string
	config   *TokenConfig
	place    string // of the first route
	tokens   *auth.Verifier
	sources  sources
	required bool
}

// realm gives a route the realm of its token block. Two routes at the same path of
// one hub share it, which takes the same block: a connection could not tell which
// of the routes it came through.
func (a *App) realm(hub, name string, config *TokenConfig, place string) (*realm, error) {
	u := a.hub(hub)
	if there := u.realms[name]; there != nil {
		if !there.config.equal(config) {
			return nil, fmt.Errorf("'token' is said differently by %s and by %s, which share the hub '%s'; give one of them another path or hub", there.place, place, hub)
		}
		return there, nil
	}
	tokens, err := config.compile(os.ReadFile)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	if config.inTheClear() {
		a.log.Warn("the secret of 'token' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "route", name)
	}
	from, err := parseSources(config.from())
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	if u.realms == nil {
		u.realms = make(map[string]*realm)
	}
	u.realms[name] = &realm{name, config, place, tokens, from, config.Required}
	return u.realms[name], nil
}

// startRealms lets the verifiers fetch keys, until ctx ends, and hands them to the
// sessions with the rest of the settings.
func (u *hubUse) startRealms(ctx context.Context, log *slog.Logger) {
	u.settings.session.Realms = make(map[string]session.Realm, len(u.realms))
	for name, r := range u.realms {
		r.tokens.Start(ctx, func(err error) {
			log.Warn("the keys for tokens can not be fetched", "url", r.config.JWKS, "error", err)
		})
		u.settings.session.Realms[name] = r.session()
	}
}

// session is the realm as the sessions see it, where only `message` brings tokens.
func (r *realm) session() session.Realm {
	s := session.Realm{Required: r.required, Deadline: time.Duration(r.config.Deadline)}
	if r.sources.has(sourceMessage) {
		s.Tokens = r.tokens
	}
	return s
}

// find looks for a token. The nil realm takes none.
func (r *realm) find(req *http.Request) string {
	if r == nil {
		return ""
	}
	return r.sources.token(req)
}

// verifyTimeout bounds how long a request waits for the keys of the issuer.
const verifyTimeout = 5 * time.Second

// recognize finds out who a token is of.
func (r *realm) recognize(ctx context.Context, peer session.Peer, token string) (session.Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	id, err := r.tokens.Verify(ctx, token)
	if err != nil {
		return peer, err
	}
	return peer.As(id)
}

// bars says why a request may not go on; nil: it may. A WebSocket can authenticate
// later, if messages may bring tokens.
func (r *realm) bars(req *http.Request, p *session.Peer) *protocol.Error {
	switch {
	case r == nil, !r.required, p.User != "", !p.Expires.IsZero():
		return nil
	case ws.IsUpgrade(req) && r.sources.has(sourceMessage):
		return nil
	}
	return protocol.Errorf(protocol.Unauthorized, "a token is required here")
}

var errRevoked = errors.New("revoked")

// revoked refuses an identity that was taken back, in the words for a bad token.
func revoked(registry *session.Registry, p *session.Peer) *protocol.Error {
	issued := p.Issued
	if p.Expires.IsZero() {
		issued = time.Now()
	}
	if registry.Revoked(auth.Identity{User: p.User, ID: p.TokenID, Issued: issued, Expires: p.Expires}) {
		return session.TokenError(errRevoked)
	}
	return nil
}
