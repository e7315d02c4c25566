package realtime

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
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
	if err := documentOptions.parseBlock(d, "document", c.Document); err != nil {
		return err
	}
	_, err := c.Document.compile()
	return err
}

var documentOptions = options[*DocumentConfig]{
	"change":     word("anyone|users|granted|server", func(c *DocumentConfig) *string { return &c.Change }, accessWord),
	"conflict":   word("merge|strict", func(c *DocumentConfig) *string { return &c.Conflict }, conflictWord),
	"size":       size(func(c *DocumentConfig) *int64 { return &c.Size }),
	"depth":      count(func(c *DocumentConfig) *int { return &c.Depth }),
	"operations": count(func(c *DocumentConfig) *int { return &c.Operations }),
	"history":    count(func(c *DocumentConfig) *int { return &c.History }),
	"ttl":        duration(func(c *DocumentConfig) *caddy.Duration { return &c.TTL }),
}

func conflictWord(s string) error {
	_, err := parseConflict(s)
	return err
}
