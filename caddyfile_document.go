package realtime

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
func parseDocument(d *caddyfile.Dispenser, _ []string, c *RoomConfig) error {
	c.Document = new(DocumentConfig)
	if err := documentOptions.ParseBlock(d, "document", c.Document); err != nil {
		return err
	}
	_, err := c.Document.compile()
	return err
}

var documentOptions = block.Options[*DocumentConfig]{
	"change":     block.Word("anyone|users|granted|server", func(c *DocumentConfig) *string { return &c.Change }, accessWord),
	"conflict":   block.Word("merge|strict", func(c *DocumentConfig) *string { return &c.Conflict }, conflictWord),
	"size":       block.Size(func(c *DocumentConfig) *int64 { return &c.Size }),
	"depth":      block.Count(func(c *DocumentConfig) *int { return &c.Depth }),
	"operations": block.Count(func(c *DocumentConfig) *int { return &c.Operations }),
	"history":    block.Count(func(c *DocumentConfig) *int { return &c.History }),
	"ttl":        block.Duration(func(c *DocumentConfig) *caddy.Duration { return &c.TTL }),
}

func conflictWord(s string) error {
	_, err := parseConflict(s)
	return err
}
