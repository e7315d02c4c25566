package config

import (
	"encoding/json"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseSchema reads
//
//	schema <file>|`<json>`
//
// The file is not opened here, but when the configuration is loaded.
func parseSchema(_ *caddyfile.Dispenser, args []string, c *Room) error {
	c.Schema = &Schema{File: args[0]}
	if isInline(args[0]) {
		c.Schema = &Schema{Inline: json.RawMessage(args[0])}
	}
	_, err := c.Schema.compile(nil)
	return err
}

// isInline reports whether the argument is the text of a schema and not a path.
func isInline(arg string) bool {
	return strings.HasPrefix(arg, "{") && !block.StartsWithPlaceholder(arg)
}
