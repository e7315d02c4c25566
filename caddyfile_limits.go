package realtime

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
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
func parseLimits(d *caddyfile.Dispenser, _ []string, c *HubConfig) error {
	if err := limitOptions.parseBlock(d, "limits", &c.Limits); err != nil {
		return err
	}
	_, err := c.Limits.compile()
	return err
}

var limitOptions = options[*LimitsConfig]{
	"connections":           count(func(c *LimitsConfig) *int { return &c.Connections }),
	"connections_per_user":  count(func(c *LimitsConfig) *int { return &c.ConnectionsPerUser }),
	"connections_per_ip":    count(func(c *LimitsConfig) *int { return &c.ConnectionsPerIP }),
	"handshakes":            rate(func(c *LimitsConfig) *RateConfig { return &c.Handshakes }),
	"handshakes_per_ip":     rate(func(c *LimitsConfig) *RateConfig { return &c.HandshakesPerIP }),
	"channels":              count(func(c *LimitsConfig) *int { return &c.Channels }),
	"message_size":          size(func(c *LimitsConfig) *int64 { return &c.MessageSize }),
	"rate":                  rate(func(c *LimitsConfig) *RateConfig { return &c.Rate }),
	"queue":                 {syntax: "<messages> [<size>]", min: 1, max: 2, parse: parseQueue},
	"history_memory":        size(func(c *LimitsConfig) *int64 { return &c.HistoryMemory }),
	"document_memory":       {syntax: "<size> [<share>]", min: 1, max: 2, parse: parseDocumentMemory},
	"request_memory":        size(func(c *LimitsConfig) *int64 { return &c.RequestMemory }),
	"request_memory_per_ip": size(func(c *LimitsConfig) *int64 { return &c.RequestMemoryPerIP }),
}

func parseDocumentMemory(_ *caddyfile.Dispenser, args []string, c *LimitsConfig) (err error) {
	if c.DocumentMemory, err = parseSize(args[0]); err != nil || len(args) == 1 {
		return err
	}
	c.DocumentShare, err = parseSize(args[1])
	return err
}

func parseQueue(_ *caddyfile.Dispenser, args []string, c *LimitsConfig) (err error) {
	if c.Queue.Messages, err = parseCount(args[0]); err != nil || len(args) == 1 {
		return err
	}
	c.Queue.Bytes, err = parseSize(args[1])
	return err
}
