package realtime

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// hubOptions are the options of a hub. They stand in the global option `realtime`
// or in the directive.
var hubOptions = block.Options[*HubConfig]{
	"heartbeat": {Syntax: "<interval> [<timeout>]", Min: 1, Max: 2, Parse: parseHeartbeat},
	"limits":    {Syntax: "{ … }", Block: true, Parse: parseLimits},
	"room":      {Syntax: "<pattern> { … }", Min: 1, Max: 1, Repeat: true, Block: true, Parse: parseRoom},
	"redis":     {Syntax: "<address>… [{ … }]", Min: 1, Max: -1, Block: true, Empty: "an address; a variable such as {$REDIS} that is not set leaves none", Parse: parseRedis},
}

// parseHeartbeat reads
//
//	heartbeat <interval> [<timeout>]
func parseHeartbeat(_ *caddyfile.Dispenser, args []string, c *HubConfig) (err error) {
	if c.Heartbeat.Interval, err = block.ParseDuration(args[0]); err != nil {
		return err
	}
	if len(args) > 1 {
		if c.Heartbeat.Timeout, err = block.ParseDuration(args[1]); err != nil {
			return err
		}
	}
	return c.Heartbeat.check()
}
