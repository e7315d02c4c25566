package access

import (
	"context"
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
	"github.com/caddy-realtime/caddy-realtime/internal/tally"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Realm is where the options about who may come in are in force: the routes of a hub at one
// path. Its name is the path. Connections keep the name, so that after a reload they live
// by the options that the same route has by then.
type Realm struct {
	// Static.
	path    string
	tokens  *auth.Verifier // nil without token
	jwks    string         // URL of the key set, for the log
	sources sources
	session session.Realm
}

// Options are what a route says about its realm.
type Options struct {
	Path           string
	Token          *config.Token
	Authorize      *config.Authorize
	HandleMessages []*config.HandleMessage
	HandleCall     *config.HandleCall
	LaravelEcho    *config.LaravelEcho
}

// Empty reports whether the route has no options about a realm.
func (o *Options) Empty() bool {
	return o.Token == nil && o.Authorize == nil && len(o.HandleMessages) == 0 && o.HandleCall == nil && o.LaravelEcho == nil
}

// NewRealm returns the realm of a route. Its verifier is not started. calls returns what counts
// the requests to the app of an option.
func NewRealm(ctx caddy.Context, o Options, calls func(option string) *tally.Calls) (*Realm, error) {
	r := &Realm{path: o.Path}
	if o.Token != nil {
		if err := r.provisionTokens(ctx, o.Token); err != nil {
			return nil, fmt.Errorf("token: %w", block.Trim("token", err))
		}
	}
	return r, r.provisionApp(ctx, o, calls)
}

// provisionApp sets what asks the app.
func (r *Realm) provisionApp(ctx caddy.Context, o Options, calls func(string) *tally.Calls) (err error) {
	if o.Authorize != nil {
		if r.session.Ask, err = o.Authorize.Ask(); err == nil {
			r.session.Authorize, err = newAuthorizer(ctx, o.Path, o.Authorize, calls("authorize"))
		}
		if err != nil {
			return fmt.Errorf("authorize: %w", err)
		}
	}
	if len(o.HandleMessages) > 0 {
		if r.session.Messages, err = newMessageHandlers(ctx, o.Path, o.HandleMessages, calls("handle_message")); err != nil {
			return fmt.Errorf("handle_message: %w", err)
		}
	}
	if o.HandleCall != nil {
		if r.session.Calls, err = newCallHandler(ctx, o.Path, o.HandleCall, calls("handle_call")); err != nil {
			return fmt.Errorf("handle_call: %w", err)
		}
	}
	if o.LaravelEcho != nil {
		if r.session.Channels, err = newChannelHandler(ctx, o.LaravelEcho, calls("laravel_echo")); err != nil {
			return fmt.Errorf("laravel_echo: %w", err)
		}
	}
	return nil
}

func (r *Realm) provisionTokens(ctx caddy.Context, c *config.Token) (err error) {
	r.jwks = c.JWKS
	if r.tokens, err = newVerifier(c, os.ReadFile, ctx.Slogger().With("route", r.path)); err != nil {
		return err
	}
	if inTheClear(c) {
		ctx.Slogger().Warn("a secret of 'token' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "route", r.path)
	}
	if r.sources, err = c.Sources(); err != nil {
		return err
	}
	r.session.Verifier = r.tokens
	r.session.Required, r.session.Deadline = c.Required, time.Duration(c.Deadline)
	if r.sources.has(config.FromMessage) {
		r.session.Tokens = r.tokens
	}
	return nil
}

// OpenRealm returns the name of the realm for connections of a route without token and
// authorize. If a reload gives the route such options, the name stands for their realm,
// unless another route at the path is still without: the two can not be told apart.
func OpenRealm(path string) string { return "open " + path }

// Verifier returns what verifies tokens; nil if the realm takes none.
func (r *Realm) Verifier() *auth.Verifier { return r.tokens }

// Session returns what the sessions of the realm go by.
func (r *Realm) Session() session.Realm { return r.session }

// Start lets the verifier fetch keys until ctx ends.
func (r *Realm) Start(ctx context.Context, log *slog.Logger) {
	if r.tokens != nil {
		r.tokens.Start(ctx, func(err error) { reportKeys(log, r.jwks, err) })
	}
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
func (r *Realm) enter(req *http.Request, p *session.Principal) (e *protocol.Error) {
	if r == nil {
		return nil
	}
	p.Realm = r.path
	if r.session.AsksApp() {
		p.Handshake, e = keep(req)
	}
	return e
}

// Asks reports whether the app is asked who a request is from.
func (r *Realm) Asks() bool { return r != nil && r.session.Ask&auth.Connect != 0 }

// find looks for a token in a request. The nil realm takes none.
func (r *Realm) find(req *http.Request) string {
	if r == nil {
		return ""
	}
	return r.sources.token(req)
}

// Parameters are the query parameters in which a token may be. The nil realm has none.
func (r *Realm) Parameters() []string {
	if r == nil {
		return nil
	}
	return r.sources.parameters()
}

// verifyTimeout bounds how long a request waits for the keys of the issuer.
const verifyTimeout = 5 * time.Second

// recognize returns the client with the identity of its token, and the client as it was
// when the token is not accepted.
func (r *Realm) recognize(ctx context.Context, client *session.Principal, token string) (*session.Principal, error) {
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

// CheckRequired returns why a client must not go on without a token; nil if it may. later says that it
// is a connection that can authenticate later, if messages may bring tokens.
func (r *Realm) CheckRequired(later bool, p *session.Principal) *protocol.Error {
	switch {
	case r == nil, !r.session.Required, p.Known():
		return nil
	case later && r.session.Tokens != nil:
		return nil
	}
	return protocol.Errorf(protocol.Unauthorized, "a token is required here")
}
