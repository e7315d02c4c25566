package config

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parsePresence reads
//
//	presence [{
//		grace    <duration>|off
//		remember <duration>|off
//		snapshot <n>
//		visible  anyone|users|granted|server
//	}]
func parsePresence(d *caddyfile.Dispenser, _ []string, c *Room) error {
	c.Presence = new(Presence)
	if err := presenceOptions.ParseBlock(d, "presence", c.Presence); err != nil {
		return err
	}
	_, _, err := c.Presence.compile()
	return err
}

var presenceOptions = block.Options[*Presence]{
	"grace":    block.DurationOrOff(func(c *Presence) *caddy.Duration { return &c.Grace }),
	"remember": block.DurationOrOff(func(c *Presence) *caddy.Duration { return &c.Remember }),
	"snapshot": block.Count(func(c *Presence) *int { return &c.Snapshot }),
	"visible":  block.Word(accessWords, func(c *Presence) *string { return &c.Visible }, accessWord),
}
