package config

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseLimits reads
//
//	limits {
//		connections          <n>
//		connections_per_user <n>
//		connections_per_ip   <n>
//		handshakes           <n>/s [<burst>]
//		handshakes_per_ip    <n>/s [<burst>]
//		channels             <n>
//		message_size         <size>
//		rate                 <n>/s [<burst>]
//		queue                <messages> [<size>]
//		history_memory       <size>
//		document_memory      <size> [<share>]
//		request_memory        <size>
//		request_memory_per_ip <size>
//	}
func parseLimits(d *caddyfile.Dispenser, _ []string, c *Hub) error {
	if err := limitOptions.ParseBlock(d, "limits", &c.Limits); err != nil {
		return err
	}
	_, err := c.Limits.compile()
	return err
}

var limitOptions = block.Options[*Limits]{
	"connections":           block.Count(func(c *Limits) *int { return &c.Connections }),
	"connections_per_user":  block.Count(func(c *Limits) *int { return &c.ConnectionsPerUser }),
	"connections_per_ip":    block.Count(func(c *Limits) *int { return &c.ConnectionsPerIP }),
	"handshakes":            rate(func(c *Limits) *Rate { return &c.Handshakes }),
	"handshakes_per_ip":     rate(func(c *Limits) *Rate { return &c.HandshakesPerIP }),
	"channels":              block.Count(func(c *Limits) *int { return &c.Channels }),
	"message_size":          block.Size(func(c *Limits) *int64 { return &c.MessageSize }),
	"rate":                  rate(func(c *Limits) *Rate { return &c.Rate }),
	"queue":                 {Syntax: "<messages> [<size>]", Min: 1, Max: 2, Parse: parseQueue},
	"history_memory":        block.Size(func(c *Limits) *int64 { return &c.HistoryMemory }),
	"document_memory":       {Syntax: "<size> [<share>]", Min: 1, Max: 2, Parse: parseDocumentMemory},
	"request_memory":        block.Size(func(c *Limits) *int64 { return &c.RequestMemory }),
	"request_memory_per_ip": block.Size(func(c *Limits) *int64 { return &c.RequestMemoryPerIP }),
}

func parseDocumentMemory(_ *caddyfile.Dispenser, args []string, c *Limits) (err error) {
	if c.DocumentMemory, err = block.ParseSize(args[0]); err != nil || len(args) == 1 {
		return err
	}
	c.DocumentShare, err = block.ParseSize(args[1])
	return err
}

func parseQueue(_ *caddyfile.Dispenser, args []string, c *Limits) (err error) {
	if c.Queue.Messages, err = block.ParseCount(args[0]); err != nil || len(args) == 1 {
		return err
	}
	c.Queue.Bytes, err = block.ParseSize(args[1])
	return err
}
