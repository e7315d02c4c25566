package config

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseDocument reads
//
//	document [{
//		change     anyone|users|granted|server
//		conflict   merge|strict
//		size       <size>
//		depth      <n>
//		operations <n>
//		history    <n>
//		ttl        <duration>
//	}]
func parseDocument(d *caddyfile.Dispenser, _ []string, c *Room) error {
	c.Document = new(Document)
	if err := documentOptions.ParseBlock(d, "document", c.Document); err != nil {
		return err
	}
	_, err := c.Document.compile()
	return err
}

var documentOptions = block.Options[*Document]{
	"change":     block.Word("anyone|users|granted|server", func(c *Document) *string { return &c.Change }, accessWord),
	"conflict":   block.Word("merge|strict", func(c *Document) *string { return &c.Conflict }, conflictWord),
	"size":       block.Size(func(c *Document) *int64 { return &c.Size }),
	"depth":      block.Count(func(c *Document) *int { return &c.Depth }),
	"operations": block.Count(func(c *Document) *int { return &c.Operations }),
	"history":    block.Count(func(c *Document) *int { return &c.History }),
	"ttl":        block.Duration(func(c *Document) *caddy.Duration { return &c.TTL }),
}

func conflictWord(s string) error {
	_, err := parseConflict(s)
	return err
}
