package config

import (
	"errors"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseDirectives parses the block of an option, with options of its own and directives that
// ask the app. It returns the directives, which are any of Caddy's, for parseRoutes.
func parseDirectives[T any](d *caddyfile.Dispenser, option string, options block.Options[T], c T) (caddyfile.Segment, error) {
	name := d.Token()
	name.Text = option // it may be the last argument
	var inside caddyfile.Segment
	err := options.ParseMixed(d, option, c, func(s caddyfile.Segment) { inside = append(inside, s...) })
	if err != nil {
		return nil, err
	}
	if len(inside) == 0 {
		return nil, errors.New("there is no directive in it that could answer, such as reverse_proxy")
	}
	return enclose(name, inside), nil
}

// enclose puts braces around lines. They are copies of the token of the name, because the
// last line may end with a quoted text, and a quoted brace does not count as one.
func enclose(name caddyfile.Token, lines caddyfile.Segment) caddyfile.Segment {
	open, end, last := name, name, lines[len(lines)-1]
	open.Text, end.Text = "{", "}"
	end.Line = last.Line + last.NumLineBreaks() + 1
	return append(append(caddyfile.Segment{name, open}, lines...), end)
}

// parseRoutes parses directives to routes. The directive `realtime` itself calls it, because
// only there is known what a directive in it may need.
func parseRoutes(h httpcaddyfile.Helper, directives caddyfile.Segment) (caddyhttp.RouteList, error) {
	handler, err := httpcaddyfile.ParseSegmentAsSubroute(h.WithDispenser(caddyfile.NewDispenser(directives)))
	if err != nil {
		return nil, err
	}
	return handler.(*caddyhttp.Subroute).Routes, nil
}
