package config

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseHeartbeat reads
//
//	heartbeat <interval> [<timeout>]
func parseHeartbeat(_ *caddyfile.Dispenser, args []string, c *Hub) error {
	return c.Heartbeat.parse(args)
}

func (c *Heartbeat) parse(args []string) (err error) {
	if c.Interval, err = block.ParseDuration(args[0]); err != nil {
		return err
	}
	if len(args) > 1 {
		if c.Timeout, err = block.ParseDuration(args[1]); err != nil {
			return err
		}
	}
	return c.check()
}
