package config

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

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
	name := d.Token()
	var inside caddyfile.Segment
	err := authorizeOptions.ParseMixed(d, "authorize", c, func(s caddyfile.Segment) { inside = append(inside, s...) })
	if err != nil {
		return nil, err
	}
	if len(inside) == 0 {
		return nil, errors.New("there is no directive in it that could answer, such as reverse_proxy")
	}
	c.directives = enclose(name, inside)
	return c, nil
}

var authorizeOptions = block.Options[*Authorize]{
	"on":      {Syntax: "connect|subscribe|publish …", Min: 1, Max: 3, Parse: parseOn},
	"cache":   block.DurationOrOff(func(c *Authorize) *caddy.Duration { return &c.Cache }),
	"timeout": block.Duration(func(c *Authorize) *caddy.Duration { return &c.Timeout }),
}

func parseOn(_ *caddyfile.Dispenser, args []string, c *Authorize) error {
	c.On = args
	_, err := c.Ask()
	return err
}

// enclose puts braces around lines. They are copies of the token of the name, because the
// last line may end with a quoted text, and a quoted brace does not count as one.
func enclose(name caddyfile.Token, lines caddyfile.Segment) caddyfile.Segment {
	open, end, last := name, name, lines[len(lines)-1]
	open.Text, end.Text = "{", "}"
	end.Line = last.Line + last.NumLineBreaks() + 1
	return append(append(caddyfile.Segment{name, open}, lines...), end)
}

// ParseRoutes parses the directives in the block to [Authorize.Routes]. That takes what is
// known only where the directive itself is parsed.
func (c *Authorize) ParseRoutes(h httpcaddyfile.Helper) error {
	handler, err := httpcaddyfile.ParseSegmentAsSubroute(h.WithDispenser(caddyfile.NewDispenser(c.directives)))
	if err != nil {
		return err
	}
	c.Routes = handler.(*caddyhttp.Subroute).Routes
	return nil
}
