package realtime

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/front"
	_ "github.com/caddy-realtime/caddy-realtime/gate" // the listener wrapper realtime_handshakes
	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
	"github.com/caddy-realtime/caddy-realtime/node"
)

func init() { caddy.RegisterModule(new(Handler)) }

// Handler answers a path and everything below it with real-time channels: clients
// connect at the path itself, by WebSocket or Server-Sent Events, and the HTTP API
// lies below it. Other requests are passed on to the next handler.
type Handler struct {
	// Path is the base path; it starts with a slash and does not end with one. Default:
	// `/realtime`.
	Path string `json:"path,omitempty"`

	// Hub is the name of the hub whose rooms clients can use. The app `realtime` or
	// HubConfig defines it, here or in another route. Default: `default`.
	Hub string `json:"hub,omitempty"`

	// HubConfig defines the hub in place. All definitions of a hub must be the same.
	// Default: the hub is defined elsewhere; the hub `default` need not be defined.
	HubConfig *config.Hub `json:"hub_config,omitempty"`

	// Origins are the web origins whose pages may connect, and may change something over
	// HTTP: `https://app.example.com`, or `https://*.example.com` for all names below one.
	// May contain placeholders such as {env.ORIGIN}. Requests with an API key and programs
	// that are no browsers are not affected. Default: pages of the same origin as this
	// route. If any origin is set, that one must be set as well.
	//
	// Without TLS a request must be for a known host: an address, a name of a local
	// network, a host that a route of the server matches, or the host of an origin. The
	// reason is that anybody can let a name of their own lead to this server.
	Origins []string `json:"origins,omitempty"`

	// APIKeys let the app do everything over the HTTP API. It sends `Authorization: Bearer
	// <key>`. With several keys one can be replaced without a pause. Write placeholders
	// such as {env.KEY} or {file./path}, so that the key itself stays out of the
	// configuration. A placeholder that is empty when the configuration is loaded is an
	// error. While keys come, a file is read again at most once a second, and its new
	// content is in force at once. Default: none, and then only clients can publish, if a
	// room lets them.
	APIKeys []string `json:"api_keys,omitempty"`

	// ScopedAPIKeys are further keys that may not do everything. Default: none.
	ScopedAPIKeys []config.APIKey `json:"scoped_api_keys,omitempty"`

	// Console serves a page at `<path>/console/` on which an operator watches the hub:
	// connections, channels, live messages. The page asks for an API key that may `manage`.
	// Default: off.
	Console bool `json:"console,omitempty"`

	// Compression compresses messages to WebSocket clients that offer permessage-deflate
	// (RFC 7692). A message that goes to many clients is compressed once. Default: off.
	Compression bool `json:"compression,omitempty"`

	// User is a placeholder with the id of the user who connects, such as
	// {http.auth.user.id} or {http.request.header.Remote-User}. It is evaluated once, when
	// the connection is made. If any part of it is empty or unknown, the client is
	// anonymous. A header is only safe if clients can not set it. Default: none, and then
	// every client is anonymous.
	User string `json:"user,omitempty"`

	// Info is what others in a room with presence may know of the user, by name. Values
	// are placeholders such as {http.auth.user.name}, which are evaluated like User. A value
	// of which any part is empty or unknown is left out. Every client that may see the
	// members sees it. For a user with a token the claim `info` of the token counts
	// instead. Default: nothing.
	Info map[string]string `json:"info,omitempty"`

	// Token accepts tokens (JWT) of a sign-in service or of the app. The token of a client
	// counts; User is for clients without one. Default: tokens are not accepted.
	Token *config.Token `json:"token,omitempty"`

	// Authorize asks the app what clients may do. Default: clients may do what the rooms
	// allow.
	Authorize *config.Authorize `json:"authorize,omitempty"`

	// HandleMessages send what clients publish in some channels to the app, which decides what
	// is published. The first one that names a channel counts. Default: what clients publish
	// goes to the room at once.
	HandleMessages []*config.HandleMessage `json:"handle_messages,omitempty"`

	// HandleCall lets clients call the app and get its answer over their connection. Default:
	// clients can not call the app.
	HandleCall *config.HandleCall `json:"handle_call,omitempty"`

	// Turn gives clients credentials for TURN servers, at `<path>/turn`. Default: nobody gets any.
	Turn *config.Turn `json:"turn,omitempty"`

	// Pushers let clients of the Pusher Channels protocol use the rooms of the hub, each as an app
	// of its own. Default: none.
	Pushers []*config.Pusher `json:"pushers,omitempty"`

	// SocketIO lets clients of Socket.IO use the rooms of the hub. Default: they can not connect.
	SocketIO *config.SocketIO `json:"socketio,omitempty"`

	// Notify notifies the app of what happens in the hub, by whichever route. One route of a
	// hub may have it. Default: the app is not notified.
	Notify *config.Notify `json:"notify,omitempty"`

	// Static after Provision.
	app      *App
	node     *node.Node
	replay   *caddyhost.Replay // nil: it answers by the current path alone
	use      *node.Use
	origins  access.Origins
	hosts    access.Hosts
	keys     access.Keyring
	identity access.Identity
	relays   *auth.TURN // nil without turn
	fronts   []front.Front
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
	users := h.User != "" || h.Token != nil || h.Authorize != nil || len(h.Pushers) > 0
	u, err := h.app.use(h.hubName(), h.HubConfig, place, users)
	if err != nil {
		return err
	}
	h.node, h.use = u.node, u.use
	if err := h.provisionFronts(ctx, u, place); err != nil {
		return err
	}
	u.tokens = u.tokens || h.Token != nil
	u.grants = u.grants || h.Token != nil || h.Authorize != nil || len(h.Pushers) > 0
	options := access.Options{Path: h.Path, Token: h.Token, Authorize: h.Authorize, HandleMessages: h.HandleMessages, HandleCall: h.HandleCall}
	if h.SocketIO != nil {
		options.LaravelEcho = h.SocketIO.LaravelEcho
		u.grants = u.grants || options.LaravelEcho != nil
	}
	realm, err := h.app.realm(ctx, h.hubName(), options, place)
	if err != nil {
		return err
	}
	if err := h.app.notify(ctx, h, place); err != nil {
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
	var err error
	if h.relays, err = access.NewTurn(h.Turn, h.log); err != nil {
		return fmt.Errorf("turn: %w", err)
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
