package config

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// ParseAuthorize reads
//
//	authorize {
//		on      connect|subscribe|publish …
//		cache   <duration>|off
//		timeout <duration>
//		<directives…>
//	}
//
// The directives are any of Caddy's; [Authorize.ParseRoutes] parses them.
func ParseAuthorize(d *caddyfile.Dispenser) (*Authorize, error) {
	c := new(Authorize)
	var err error
	c.directives, err = parseDirectives(d, "authorize", AuthorizeOptions, c)
	return c, err
}

// AuthorizeOptions are the options of `authorize`, beside its directives.
var AuthorizeOptions = block.Options[*Authorize]{
	"on":      {Syntax: "connect|subscribe|publish …", Min: 1, Max: 3, Parse: parseOn},
	"cache":   block.DurationOrOff(func(c *Authorize) *caddy.Duration { return &c.Cache }),
	"timeout": block.Duration(func(c *Authorize) *caddy.Duration { return &c.Timeout }),
}

func parseOn(_ *caddyfile.Dispenser, args []string, c *Authorize) error {
	c.On = args
	_, err := c.Ask()
	return err
}

// ParseRoutes parses the directives in the block to [Authorize.Routes]. That takes what is
// known only where the directive itself is parsed.
func (c *Authorize) ParseRoutes(h httpcaddyfile.Helper) (err error) {
	c.Routes, err = parseRoutes(h, c.directives)
	return err
}
