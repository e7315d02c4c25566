package config

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseContent reads
//
//	content {
//		size  <size>
//		depth <n>
//		nodes <n>
//	}
func parseContent(d *caddyfile.Dispenser, _ []string, c *Room) error {
	if err := contentOptions.ParseBlock(d, "content", &c.Content); err != nil {
		return err
	}
	_, err := c.Content.compile()
	return err
}

var contentOptions = block.Options[*Content]{
	"size":  block.Size(func(c *Content) *int64 { return &c.Size }),
	"depth": block.Count(func(c *Content) *int { return &c.Depth }),
	"nodes": block.Count(func(c *Content) *int { return &c.Nodes }),
}
