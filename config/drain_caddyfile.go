package config

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseDrain reads
//
//	drain <window> [<at_exit>]
func parseDrain(_ *caddyfile.Dispenser, args []string, c *Hub) (err error) {
	if c.Drain.Window, err = block.ParseDuration(args[0]); err != nil {
		return err
	}
	if len(args) > 1 {
		if c.Drain.Exit, err = block.ParseDuration(args[1]); err != nil {
			return err
		}
	}
	_, err = c.Drain.compile()
	return err
}
