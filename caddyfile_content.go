package realtime

import (
	"encoding/json"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// parseContent reads
//
//	content {
//		size  <size>
//		depth <n>
//		nodes <n>
//	}
func parseContent(d *caddyfile.Dispenser, _ []string, c *RoomConfig) error {
	if err := contentOptions.ParseBlock(d, "content", &c.Content); err != nil {
		return err
	}
	_, err := c.Content.compile()
	return err
}

var contentOptions = block.Options[*ContentConfig]{
	"size":  block.Size(func(c *ContentConfig) *int64 { return &c.Size }),
	"depth": block.Count(func(c *ContentConfig) *int { return &c.Depth }),
	"nodes": block.Count(func(c *ContentConfig) *int { return &c.Nodes }),
}

// parseSchema reads
//
//	schema <file>|`<json>`
//
// The file is not opened here, but when the configuration is loaded.
func parseSchema(_ *caddyfile.Dispenser, args []string, c *RoomConfig) error {
	c.Schema = &SchemaConfig{File: args[0]}
	if isInline(args[0]) {
		c.Schema = &SchemaConfig{Inline: json.RawMessage(args[0])}
	}
	_, err := c.Schema.compile(nil)
	return err
}

// isInline tells the text of a schema from a path.
func isInline(arg string) bool {
	return strings.HasPrefix(arg, "{") && !block.StartsWithPlaceholder(arg)
}

func sanitizeWord(s string) error {
	_, err := policy.ParseSanitize(s)
	return err
}
