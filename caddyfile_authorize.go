package realtime

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseAuthorize reads
//
//	authorize {
//		on      connect|subscribe|publish …
//		cache   <duration>|off
//		timeout <duration>
//		<directives…>
//	}
//
// The directives are any of Caddy's; they are parsed by parseRoutes.
func parseAuthorize(d *caddyfile.Dispenser, _ []string, h *Handler) error {
	h.Authorize = new(AuthorizeConfig)
	name := d.Token()
	var inside caddyfile.Segment
	err := authorizeOptions.ParseMixed(d, "authorize", h.Authorize, func(s caddyfile.Segment) { inside = append(inside, s...) })
	if err != nil {
		return err
	}
	if len(inside) == 0 {
		return errors.New("there is no directive in it that could answer, such as reverse_proxy")
	}
	h.Authorize.directives = enclose(name, inside)
	return nil
}

var authorizeOptions = block.Options[*AuthorizeConfig]{
	"on":      {Syntax: "connect|subscribe|publish …", Min: 1, Max: 3, Parse: parseOn},
	"cache":   block.DurationOrOff(func(c *AuthorizeConfig) *caddy.Duration { return &c.Cache }),
	"timeout": block.Duration(func(c *AuthorizeConfig) *caddy.Duration { return &c.Timeout }),
}

func parseOn(_ *caddyfile.Dispenser, args []string, c *AuthorizeConfig) error {
	c.On = args
	_, err := c.ask()
	return err
}

// enclose makes a block of lines again. The braces are made of the name, because the
// last line may end with a quoted text, and a quoted brace is none.
func enclose(name caddyfile.Token, lines caddyfile.Segment) caddyfile.Segment {
	open, end, last := name, name, lines[len(lines)-1]
	open.Text, end.Text = "{", "}"
	end.Line = last.Line + last.NumLineBreaks() + 1
	return append(append(caddyfile.Segment{name, open}, lines...), end)
}

// parseRoutes parses the directives of an option, which takes what is known only
// where the directive itself is parsed.
func parseRoutes(h httpcaddyfile.Helper, block caddyfile.Segment) (caddyhttp.RouteList, error) {
	handler, err := httpcaddyfile.ParseSegmentAsSubroute(h.WithDispenser(caddyfile.NewDispenser(block)))
	if err != nil {
		return nil, err
	}
	return handler.(*caddyhttp.Subroute).Routes, nil
}
