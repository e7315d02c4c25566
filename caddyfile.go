package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("realtime", parseGlobalOption)
	httpcaddyfile.RegisterDirective("realtime", parseDirective)
	// Behind what finds out who is calling (basic_auth, forward_auth, request_header)
	// and before whatever answers requests, so that no `order` line is needed.
	httpcaddyfile.RegisterDirectiveOrder("realtime", httpcaddyfile.After, "encode")
}

// routeOptions are all options of the directive: its own, and those of the hub.
var routeOptions = func() block.Options[*Handler] {
	all := block.Options[*Handler]{
		"hub":         {Syntax: "<name>", Min: 1, Max: 1, NoBlock: "; the options of a hub stand in the global option: realtime <name> { … }", Parse: parseHubName},
		"origins":     {Syntax: "<origin>…", Min: 1, Max: -1, Parse: parseOrigins},
		"api_key":     {Syntax: "<key>… [{ … }]", Min: 1, Max: -1, Repeat: true, Block: true, Inside: config.APIKeyOptions, Content: true, Parse: parseAPIKeys},
		"console":     {Parse: parseConsole},
		"compression": {Parse: parseCompression},
		"user":        {Syntax: "<placeholder>", Min: 1, Max: 1, Parse: parseUser},
		"info":        {Syntax: "{ <name> <placeholder> … }", Block: true, Parse: parseInfo},
		"token":       {Syntax: "{ … }", Block: true, Inside: config.TokenOptions, Parse: parseToken},
		"authorize":   {Syntax: "{ … }", Block: true, Inside: config.AuthorizeOptions, Parse: parseAuthorize},
		"pusher":      {Syntax: "<app id> { … }", Min: 1, Max: 1, Repeat: true, Block: true, Inside: config.PusherOptions(checkOrigin), Parse: parsePusher},
		"socketio":    {Syntax: "[<path>] [{ … }]", Max: 1, Block: true, Inside: config.SocketIOOptions(checkOrigin), Parse: parseSocketIO},
		"notify":      {Syntax: "{ … }", Block: true, Inside: config.NotifyOptions, Parse: parseNotify},
		"turn":        {Syntax: "{ … }", Block: true, Inside: config.TurnOptions, Parse: parseTurn},

		"handle_message": {Syntax: "<pattern>… { … }", Min: 1, Max: -1, Repeat: true, Block: true, Inside: config.HandleMessageOptions, Parse: parseHandleMessage},
		"handle_call":    {Syntax: "{ … }", Block: true, Inside: config.HandleCallOptions, Parse: parseHandleCall},
	}
	for name, o := range config.HubOptions {
		all[name] = block.ForPart(o, inlineHub)
	}
	return all
}()

// inlineHub returns the hub that the directive itself defines.
func inlineHub(h *Handler) *config.Hub {
	if h.HubConfig == nil {
		h.HubConfig = new(config.Hub)
	}
	return h.HubConfig
}

// UnmarshalCaddyfile reads the directive:
//
//	realtime [<path>] {
//		hub     <name>
//		origins <origin>…
//		api_key <key>… [{ … }]
//		console
//		compression
//		user    <placeholder>
//		info    { <name> <placeholder> … }
//		token   { … }
//		authorize { … }
//		notify  { … }
//		pusher  <app id> { … }
//		socketio [<path>] [{ … }]
//		handle_message <pattern>… { … }
//		handle_call { … }
//		turn    { … }
//
//		# options of the hub, which define it here instead of in the global options
//		heartbeat <interval> [<timeout>]
//		limits { … }
//		room <pattern> { … }
//	}
//
// The path is answered with everything below it; it is /realtime where none is
// given.
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	start := *d
	args := d.RemainingArgs()
	if len(args) > 1 {
		return start.Errf("'realtime' is written: realtime [<path>] { … }")
	}
	h.Path = defaultPath
	if len(args) == 1 {
		h.Path = args[0]
	}
	if err := checkPath(h.Path); err != nil {
		return start.WrapErr(err)
	}
	if err := routeOptions.ParseBlock(d, "realtime", h); err != nil {
		return siteBlock.Place(err)
	}
	return checkHub(h.HubConfig, &start)
}

// checkHub reports, with the place where the hub is defined, what only shows when all
// of its options are known. A hub that is not defined here is fine.
func checkHub(c *config.Hub, d *caddyfile.Dispenser) error {
	if c == nil {
		return nil
	}
	if _, err := c.Compile(nil); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

// parseDirective makes a route of the directive, with a matcher of its own.
func parseDirective(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	handler := new(Handler)
	h.Next()
	start := *h.Dispenser
	h.Reset()
	if err := handler.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	if err := handler.declare(h, &start); err != nil {
		return nil, err
	}
	if err := handler.parseRoutes(h); err != nil {
		return nil, err
	}
	if n := handler.Notify; n != nil {
		if err := n.ParseRoutes(h, handler.HubConfig, handler.Pushers); err != nil {
			return nil, err
		}
	}
	return h.NewRoute(caddy.ModuleMap{"realtime": h.JSON(MatchEndpoint{Path: handler.Path, Also: handler.frontPaths()})}, handler), nil
}

// parseRoutes parses the directives in the blocks that ask the app.
func (h *Handler) parseRoutes(helper httpcaddyfile.Helper) error {
	var blocks []interface {
		ParseRoutes(httpcaddyfile.Helper) error
	}
	if h.Authorize != nil {
		blocks = append(blocks, h.Authorize)
	}
	for _, c := range h.HandleMessages {
		blocks = append(blocks, c)
	}
	for _, c := range h.Pushers {
		blocks = append(blocks, c)
	}
	if h.HandleCall != nil {
		blocks = append(blocks, h.HandleCall)
	}
	if h.SocketIO != nil && h.SocketIO.LaravelEcho != nil {
		blocks = append(blocks, h.SocketIO.LaravelEcho)
	}
	for _, b := range blocks {
		if err := b.ParseRoutes(helper); err != nil {
			return err
		}
	}
	return nil
}

// The two blocks into which all options of the module belong. The options of the global one may stand
// in a site as well.
var (
	siteBlock   = block.Tree{Name: "the 'realtime' of a site", Head: "realtime [<path>]", Options: routeOptions}
	globalBlock = block.Tree{Name: "the global option 'realtime'", Head: "realtime [<hub>]", Options: config.HubOptions}
)

// parseGlobalOption reads
//
//	realtime [<hub>] {
//		heartbeat <interval> [<timeout>]
//		limits { … }
//		room <pattern> { … }
//	}
//
// The name is `default` where none is given. The option may be repeated for
// further hubs.
func parseGlobalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next()
	start := *d
	args := d.RemainingArgs()
	if len(args) > 1 {
		return nil, start.Errf("the global option 'realtime' is written: realtime [<hub>] { … }")
	}
	name := config.DefaultHub
	if len(args) == 1 {
		name = args[0]
	}
	if err := config.CheckHubName(name); err != nil {
		return nil, start.WrapErr(err)
	}
	c := new(config.Hub)
	if err := config.HubOptions.ParseBlock(d, "realtime", c); err != nil {
		return nil, globalBlock.Place(err, siteBlock)
	}
	if err := checkHub(c, &start); err != nil {
		return nil, err
	}
	app, err := globalApp(existing)
	if err != nil {
		return nil, err
	}
	if earlier, ok := app.Hubs[name]; ok && !earlier.Equal(c) {
		return nil, start.Errf("hub '%s' is defined here and, differently, by an earlier global option '%s'", name, globalOption(name))
	}
	app.Hubs[name] = c
	return httpcaddyfile.App{Name: "realtime", Value: caddyconfig.JSON(app, nil)}, nil
}

// globalOption is the option that defines a hub, as its author has written it.
func globalOption(hub string) string {
	if hub == config.DefaultHub {
		return "realtime"
	}
	return "realtime " + hub
}

// globalApp gives what earlier global options have made, nothing at first.
func globalApp(option any) (*App, error) {
	app := &App{Hubs: make(map[string]*config.Hub)}
	if earlier, ok := option.(httpcaddyfile.App); ok {
		if err := json.Unmarshal(earlier.Value, app); err != nil {
			return nil, err
		}
	}
	return app, nil
}

// declaration is where a directive defined a hub.
type declaration struct {
	config *config.Hub
	place  string
}

// declare finds a second, different definition of the handler's hub. Provision
// would find it as well, but does not know the lines.
func (h *Handler) declare(helper httpcaddyfile.Helper, d *caddyfile.Dispenser) error {
	if h.HubConfig == nil {
		return nil
	}
	app, err := globalApp(helper.Option("realtime"))
	if err != nil {
		return err
	}
	const key = "realtime.declarations"
	declared, _ := helper.State[key].(map[string]declaration)
	if declared == nil {
		declared = make(map[string]declaration)
		helper.State[key] = declared
	}
	name := h.hubName()
	if global := app.Hubs[name]; global != nil && !global.Equal(h.HubConfig) {
		return d.Errf("hub '%s' is defined here and, differently, by the global option '%s'", name, globalOption(name))
	}
	if earlier, ok := declared[name]; ok && !earlier.config.Equal(h.HubConfig) {
		return d.Errf("hub '%s' is defined here and, differently, at %s; give one of them a name with 'hub', or define it once and say 'hub %[1]s' in the other", name, earlier.place)
	}
	declared[name] = declaration{h.HubConfig, fmt.Sprintf("%s:%d", d.File(), d.Line())}
	return nil
}

func parseHubName(d *caddyfile.Dispenser, args []string, h *Handler) error {
	h.Hub = args[0]
	block.Remember(d, hubLine(h.Hub))
	return config.CheckHubName(h.Hub)
}

// parseOrigins leaves origins with placeholders to Provision.
func parseOrigins(_ *caddyfile.Dispenser, args []string, h *Handler) error {
	h.Origins = args
	for _, o := range args {
		if strings.Contains(o, "{") {
			continue
		}
		if err := checkOrigin(o); err != nil {
			return err
		}
	}
	return nil
}

func checkOrigin(s string) error {
	_, err := access.ParseOrigin(s)
	return err
}

func parseConsole(_ *caddyfile.Dispenser, _ []string, h *Handler) error {
	h.Console = true
	return nil
}

func parseCompression(_ *caddyfile.Dispenser, _ []string, h *Handler) error {
	h.Compression = true
	return nil
}

func parseUser(_ *caddyfile.Dispenser, args []string, h *Handler) error {
	h.User = args[0]
	return access.CheckUser(h.User)
}

func parseAPIKeys(d *caddyfile.Dispenser, args []string, h *Handler) error {
	keys, scoped, err := config.ParseAPIKeys(d, args)
	h.APIKeys = append(h.APIKeys, keys...)
	if scoped != nil {
		h.ScopedAPIKeys = append(h.ScopedAPIKeys, *scoped)
	}
	return err
}

func parseToken(d *caddyfile.Dispenser, _ []string, h *Handler) (err error) {
	h.Token, err = config.ParseToken(d)
	return err
}

func parseAuthorize(d *caddyfile.Dispenser, _ []string, h *Handler) (err error) {
	h.Authorize, err = config.ParseAuthorize(d)
	return err
}

func parseNotify(d *caddyfile.Dispenser, _ []string, h *Handler) (err error) {
	h.Notify, err = config.ParseNotify(d)
	return err
}

func parseTurn(d *caddyfile.Dispenser, _ []string, h *Handler) (err error) {
	h.Turn, err = config.ParseTurn(d)
	return err
}

func parsePusher(d *caddyfile.Dispenser, args []string, h *Handler) error {
	c, err := config.ParsePusher(d, args, checkOrigin)
	h.Pushers = append(h.Pushers, c)
	if err != nil {
		return err
	}
	if err := config.CheckPushers(h.Pushers); err != nil {
		return err
	}
	return h.checkFronts()
}

func parseSocketIO(d *caddyfile.Dispenser, args []string, h *Handler) (err error) {
	if h.SocketIO, err = config.ParseSocketIO(d, args, checkOrigin); err != nil {
		return err
	}
	return h.checkFronts()
}

func parseHandleMessage(d *caddyfile.Dispenser, args []string, h *Handler) error {
	c, err := config.ParseHandleMessage(d, args)
	h.HandleMessages = append(h.HandleMessages, c)
	if err == nil {
		err = config.CheckOrder(h.HandleMessages)
	}
	return err
}

func parseHandleCall(d *caddyfile.Dispenser, _ []string, h *Handler) (err error) {
	h.HandleCall, err = config.ParseHandleCall(d)
	return err
}

// parseInfo reads
//
//	info {
//		<name> <placeholder>
//	}
func parseInfo(d *caddyfile.Dispenser, _ []string, h *Handler) error {
	h.Info = make(map[string]string)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		line, name := *d, d.Val()
		args := d.RemainingArgs()
		if len(args) != 1 {
			return block.Located(line.Errf("a line of 'info' is written: <name> <placeholder>"))
		}
		if _, again := h.Info[name]; again {
			return block.Located(line.Errf("'%s' is repeated in 'info'", name))
		}
		h.Info[name] = args[0]
		if err := access.CheckInfo(h.Info); err != nil {
			return block.Located(line.WrapErr(fmt.Errorf("option 'info': %w", err)))
		}
	}
	if len(h.Info) == 0 {
		return errors.New("there is nothing in it; it is written: info { <name> <placeholder> … }")
	}
	return nil
}
