package front

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/dialect/pusher"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// Pushers is the way in of the Pusher protocol: /app/<key> for clients, /apps/<id> and /users for the
// HTTP API. One Front has all apps of a route, because an unknown key is answered only when none has it.
// It is static after NewPushers.
type Pushers []Pusher

// Pusher is an app of the protocol.
type Pusher struct {
	*pusher.App
	path    string
	origins access.Origins // none: all
}

// NewPushers compiles the apps of a route. Secrets in the clear are logged as a warning.
func NewPushers(configs []*config.Pusher, log *slog.Logger) (all Pushers, err error) {
	if err := config.CheckPushers(configs); err != nil {
		return nil, err
	}
	for _, c := range configs {
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("pusher %s: %w", c.App, err)
		}
		keys, err := c.ResolveKeys()
		if err != nil {
			return nil, err
		}
		origins, err := access.ParseOrigins(c.Origins)
		if err != nil {
			return nil, fmt.Errorf("pusher %s: %w", c.App, err)
		}
		if slices.ContainsFunc(c.Keys, func(k config.PusherKey) bool { return block.InTheClear(k.Secret) }) {
			log.Warn("a secret of 'pusher' stands in the configuration itself, where others may read it; use a placeholder such as {env.NAME}", "app", c.App)
		}
		all = append(all, Pusher{newPusherApp(c, keys), c.Path, origins})
	}
	return all, nil
}

func newPusherApp(c *config.Pusher, keys []config.PusherKey) *pusher.App {
	app := &pusher.App{
		ID: c.App, Prefix: c.Prefix, ClientEvents: c.ClientEvents, Counts: c.SubscriptionCount, Recover: c.Recover, Watchlists: c.Watchlists,
		Activity: cmp.Or(time.Duration(c.ActivityTimeout), config.DefaultActivity), Members: cmp.Or(c.Members, config.DefaultMembers),
	}
	for _, k := range keys {
		app.Keys = append(app.Keys, pusher.Key(k))
	}
	return app
}

// PusherPaths are the paths at which clients and apps of the protocol come in.
func PusherPaths(configs []*config.Pusher) (all []string) {
	for _, c := range configs {
		for _, path := range []string{c.Path + "/app", c.Path + "/apps/" + c.App, c.Path + "/users"} {
			if !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	}
	return all
}

// Find returns what answers a request of the protocol. It returns nil for what belongs to the site:
// /app is a usual path of sites. It sees every request of the site, so it parses the query only of what is at a
// path of the protocol.
func (p Pushers) Find(r *http.Request, u *url.URL) Answer {
	handshake := ws.IsUpgrade(r)
	var other *Pusher // the first app at whose path the client asks for another key
	for i := range p {
		app := &p[i]
		if rest, below := caddyhost.Below(app.path+"/apps/"+app.ID, u); below && rest != "" && !handshake {
			return app.api("/apps/" + app.ID + rest)
		}
		if rest, below := caddyhost.Below(app.path+"/users", u); below && pusher.IsTermination(r, rest) && app.Has(u.Query().Get("auth_key")) {
			return app.api("/users" + rest)
		}
		key, below := caddyhost.Below(app.path+"/app", u)
		switch key = strings.TrimPrefix(key, "/"); {
		case !below || !handshake:
		case app.Has(key):
			return app.handshake(pusher.Refusal(version(u)))
		case other == nil:
			other = app
		}
	}
	if other != nil && version(u) != "" {
		return other.handshake(&pusher.ReasonNoApp)
	}
	return nil
}

// version returns the version of the protocol that a client of Pusher speaks; empty for a client of the site.
func version(u *url.URL) string { return u.Query().Get("protocol") }

// api answers a request of the app to the HTTP API.
func (p *Pusher) api(path string) Answer {
	return func(w http.ResponseWriter, r *http.Request, _ Host, reg *session.Registry) error {
		pusher.Serve(w, r, path, p.App, reg, session.Caller{Principal: &session.Principal{IP: access.ClientIP(r)}})
		return nil
	}
}

// handshake answers that of a client. No cookie and no token counts there: what clients may do, the app
// has signed. refuse is why the protocol itself refuses the client; nil if it does not.
func (p *Pusher) handshake(refuse *pusher.Reason) Answer {
	return func(w http.ResponseWriter, r *http.Request, h Host, reg *session.Registry) error {
		if len(p.origins) > 0 && r.Header.Get("Origin") != "" && !p.origins.Allow(r) {
			return h.Reject(w, r, p.origins.Reject(r))
		}
		client, e := h.Knock(r, reg)
		if e != nil {
			return h.Reject(w, r, e)
		}
		return h.Upgrade(w, r, reg, client, ws.Options{Dialect: pusher.Dialect{App: p.App}, Refuse: refuse})
	}
}
