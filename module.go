package realtime

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/node"
)

func init() { caddy.RegisterModule(new(Handler)) }

// Handler answers a path and everything below it with real-time channels: clients
// connect at the path itself, by WebSocket or Server-Sent Events, and the HTTP API
// lies below it. Other requests are passed on to the next handler.
type Handler struct {
	// Path is the base path; it begins with a slash and does not end with one.
	// Default: `/realtime`.
	Path string `json:"path,omitempty"`

	// Hub is the name of the hub whose rooms are given access to. It is defined by
	// the app `realtime` or by HubConfig, here or in another route. Default:
	// `default`.
	Hub string `json:"hub,omitempty"`

	// HubConfig defines the hub in place. A hub that is defined more than once must
	// be defined in the same words. Default: the hub is defined elsewhere; the hub
	// `default` need not be.
	HubConfig *config.Hub `json:"hub_config,omitempty"`

	// Origins are the web origins whose pages may connect, and change something
	// over HTTP: `https://app.example.com`, or `https://*.example.com` for all
	// names below one. May contain placeholders such as {env.ORIGIN}. Requests with
	// an API key and programs that are no browsers are not affected. Default: pages
	// of the same origin as this route; when there are any, that one must be named,
	// too.
	//
	// Without TLS a request has to be for a host that is known: an address, a name of a
	// local network, a host that a route of the server matches, or the host of an
	// origin. Anybody can have a name of their own lead to this server.
	Origins []string `json:"origins,omitempty"`

	// APIKeys let the app in, which may do everything over the HTTP API, with
	// `Authorization: Bearer <key>`. Several keys make it possible to replace one
	// without a pause. Write placeholders such as {env.KEY} or {file./path}, so
	// that the key itself stays out of the configuration; one that is empty when
	// the configuration is loaded is an error. A file is read again when keys come, at
	// most once a second, and what it says then is in force. Default: none, and then only
	// clients can publish, where a room lets them.
	APIKeys []string `json:"api_keys,omitempty"`

	// ScopedAPIKeys are further keys, which may do only what they say. Default:
	// none.
	ScopedAPIKeys []config.APIKey `json:"scoped_api_keys,omitempty"`

	// User is a placeholder with the id of the user who connects, such as
	// {http.auth.user.id} or {http.request.header.Remote-User}. It is evaluated once, when
	// the connection is made. A client for which any part of it is empty or unknown
	// is anonymous. A header is only safe where clients can not set it. Default:
	// none, and then everyone is anonymous.
	User string `json:"user,omitempty"`

	// Info is what the others in a room with presence may know of the user, by name:
	// placeholders such as {http.auth.user.name}, which are evaluated like User. One of
	// which any part is empty or unknown is left out. Everyone who may see the members
	// sees it. Of a user with a token it is the token's claim `info` instead. Default:
	// nothing.
	Info map[string]string `json:"info,omitempty"`

	// Token accepts tokens (JWT) of a sign-in service or of the app. Where a client has
	// one it counts, and User is for those without. Default: tokens are not accepted.
	Token *config.Token `json:"token,omitempty"`

	// Authorize asks the app what clients may do. Default: what the rooms allow is
	// allowed.
	Authorize *config.Authorize `json:"authorize,omitempty"`

	// Static after Provision.
	app      *App
	node     *node.Node
	replay   *caddyhost.Replay // nil: it answers by the current path alone
	use      *node.Use
	origins  access.Origins
	hosts    access.Hosts
	keys     access.Keyring
	identity access.Identity
	log      *slog.Logger

	// Written while configurations are provisioned, static afterwards: the paths of
	// later routes below this one's.
	longer []string
}

// CaddyModule says what the module is to Caddy.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.realtime", New: func() caddy.Module { return new(Handler) }}
}

// Provision checks the options and finds the hub.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.log = ctx.Slogger()
	caddyhost.PrepareServer(ctx)
	h.Path = cmp.Or(h.Path, defaultPath)
	if err := checkPath(h.Path); err != nil {
		return err
	}
	way := caddyhost.FindWay(ctx)
	h.replay = way.Replay()
	if err := h.lookBack(way); err != nil {
		return err
	}
	var err error
	if h.origins, err = access.ParseOrigins(h.Origins); err != nil {
		return err
	}
	if err := h.provisionIdentity(); err != nil {
		return err
	}
	app, err := ctx.App("realtime")
	if err != nil {
		return err
	}
	h.app = app.(*App)
	place := h.place(ctx)
	knows := h.User != "" || h.Token != nil || h.Authorize != nil
	u, err := h.app.use(h.hubName(), h.HubConfig, place, knows)
	if err != nil {
		return err
	}
	h.node, h.use = u.node, u.use
	u.tokens = u.tokens || h.Token != nil
	u.grants = u.grants || h.Token != nil || h.Authorize != nil
	realm, err := h.app.realm(ctx, h.hubName(), realmConfig{h.Path, h.Token, h.Authorize}, place)
	if err != nil {
		return err
	}
	h.identity = access.Identity{Path: h.Path, User: h.User, Info: h.Info, Realm: realm, Log: h.log}
	return h.app.arrive(ctx)
}

func (h *Handler) hubName() string { return cmp.Or(h.Hub, config.DefaultHub) }

// place says which route this is, in words for an error.
func (h *Handler) place(ctx caddy.Context) string {
	if srv, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok && srv != nil {
		return fmt.Sprintf("the route %s of the server on %s", h.Path, strings.Join(srv.Listen, ", "))
	}
	return "the route " + h.Path
}

func (h *Handler) provisionIdentity() error {
	if err := h.keys.Provision(h.APIKeys, h.ScopedAPIKeys, h.log); err != nil {
		return fmt.Errorf("api_key: %w", err)
	}
	if err := access.CheckInfo(h.Info); err != nil {
		return fmt.Errorf("info: %w", err)
	}
	if h.User == "" {
		return nil
	}
	return access.CheckUser(h.User)
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
