package config

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/dialect/socketio"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// ParseSocketIO reads
//
//	socketio [<path>] {
//		rooms
//		on <event> all|others [volatile]
//		on <event> room|join|leave <argument> [volatile]
//		on <event> reply [<event>]
//		on <event> ack|deny
//		on_connect emit <event> [{auth}]
//		namespace <name> {
//			rooms
//			on …
//			on_connect …
//		}
//		prefix <text>
//		origins <origin>…
//		connect_timeout <duration>
//		ping <interval> [<timeout>]
//		recovery <duration>
//		cookie <name>
//		emitter
//		laravel_echo { … }
//	}
//
// checkOrigin checks an origin without placeholders.
func ParseSocketIO(d *caddyfile.Dispenser, args []string, checkOrigin func(string) error) (*SocketIO, error) {
	c := new(SocketIO)
	if len(args) == 1 {
		c.Path = args[0]
	}
	if err := SocketIOOptions(checkOrigin).ParseBlock(d, "socketio", c); err != nil {
		return nil, err
	}
	_, err := c.Compile()
	return c, err
}

// SocketIOOptions returns the options of `socketio`. checkOrigin checks an origin without placeholders.
func SocketIOOptions(checkOrigin func(string) error) block.Options[*SocketIO] {
	all := block.Options[*SocketIO]{
		"namespace": {Syntax: "<name> [{ … }]", Min: 1, Max: 1, Repeat: true, Block: true, Inside: namespaceOptions, Parse: parseNamespace},
		"prefix": {Syntax: "<text>", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c *SocketIO) error {
			c.Prefix = args[0]
			return notEmpty(c.Prefix, c.checkPrefix)
		}},
		"origins": {Syntax: "<origin>…", Min: 1, Max: -1, Parse: func(_ *caddyfile.Dispenser, args []string, c *SocketIO) error {
			c.Origins = args
			return checkOrigins(args, checkOrigin)
		}},
		"cookie": {Syntax: "<name>", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c *SocketIO) error {
			c.Cookie = args[0]
			return notEmpty(c.Cookie, c.checkCookie)
		}},
		"laravel_echo":    {Syntax: "{ … }", Block: true, Inside: laravelEchoOptions, Parse: parseLaravelEcho},
		"emitter":         {Parse: parseEmitter},
		"recovery":        checkedDuration(func(c *SocketIO) *caddy.Duration { return &c.Recovery }, (*SocketIO).checkRecovery),
		"ping":            {Syntax: "<interval> [<timeout>]", Min: 1, Max: 2, Parse: parsePing},
		"connect_timeout": checkedDuration(func(c *SocketIO) *caddy.Duration { return &c.ConnectTimeout }, (*SocketIO).checkConnectTimeout),
	}
	for name, o := range namespaceOptions {
		all[name] = block.ForPart(o, func(c *SocketIO) *SocketIONamespace { return &c.Root })
	}
	return all
}

// checkedDuration is an option that is a duration with bounds.
func checkedDuration(field func(*SocketIO) *caddy.Duration, check func(*SocketIO) error) block.Option[*SocketIO] {
	o := block.Duration(field)
	parse := o.Parse
	o.Parse = func(d *caddyfile.Dispenser, args []string, c *SocketIO) error {
		if err := parse(d, args, c); err != nil {
			return err
		}
		return check(c)
	}
	return o
}

func parsePing(_ *caddyfile.Dispenser, args []string, c *SocketIO) error {
	c.Ping = new(Heartbeat)
	return c.Ping.parse(args)
}

var namespaceOptions = block.Options[*SocketIONamespace]{
	"rooms": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *SocketIONamespace) error {
		c.Rooms = true
		return nil
	}},
	"on":         {Syntax: "<event> <what to do>", Min: 2, Max: 4, Repeat: true, Parse: parseRelayRule},
	"on_connect": {Syntax: "emit <event> [{auth}]", Min: 2, Max: 3, Repeat: true, Parse: parseOnConnect},
}

func parseNamespace(d *caddyfile.Dispenser, args []string, c *SocketIO) error {
	n := &SocketIONamespace{Name: args[0]}
	c.Namespaces = append(c.Namespaces, n)
	if err := c.checkNamespace(len(c.Namespaces) - 1); err != nil {
		return err
	}
	return namespaceOptions.ParseBlock(d, "namespace", n)
}

func parseRelayRule(d *caddyfile.Dispenser, args []string, c *SocketIONamespace) error {
	r, err := socketio.ParseRule(args)
	block.Remember(d, "on "+r.Event+" "+string(r.Do)) // for a warning, which comes later
	c.On = append(c.On, SocketIORule(r))
	if err != nil {
		return err
	}
	return c.checkOrder()
}

func parseOnConnect(_ *caddyfile.Dispenser, args []string, c *SocketIONamespace) error {
	e := SocketIOEmit{Event: args[1]}
	switch {
	case args[0] != "emit":
		return errors.New("a client that has connected can only be sent an event: emit <event>")
	case len(args) == 3 && args[2] != "{auth}":
		return errors.New("the only argument is {auth}, what the client has sent")
	}
	e.Auth = len(args) == 3
	c.OnConnect = append(c.OnConnect, e)
	emit := socketio.Emit(e)
	return emit.Check()
}
