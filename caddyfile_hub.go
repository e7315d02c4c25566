package realtime

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// hubOptions are the options of a hub. They stand in the global option `realtime`
// or in the directive.
var hubOptions = options[*HubConfig]{
	"heartbeat": {syntax: "<interval> [<timeout>]", min: 1, max: 2, parse: parseHeartbeat},
	"limits":    {syntax: "{ … }", block: true, parse: parseLimits},
	"room":      {syntax: "<pattern> { … }", min: 1, max: 1, repeat: true, block: true, parse: parseRoom},
	"redis":     {syntax: "<address>… [{ … }]", min: 1, max: -1, block: true, empty: "an address; a variable such as {$REDIS} that is not set leaves none", parse: parseRedis},
}

// parseHeartbeat reads
//
//	heartbeat <interval> [<timeout>]
func parseHeartbeat(_ *caddyfile.Dispenser, args []string, c *HubConfig) (err error) {
	if c.Heartbeat.Interval, err = parseDuration(args[0]); err != nil {
		return err
	}
	if len(args) > 1 {
		if c.Heartbeat.Timeout, err = parseDuration(args[1]); err != nil {
			return err
		}
	}
	return c.Heartbeat.check()
}

// count is an option that is a whole number.
func count[T any](field func(T) *int) option[T] {
	return option[T]{syntax: "<n>", min: 1, max: 1, parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = parseCount(args[0])
		return err
	}}
}

// size is an option that is a number of bytes.
func size[T any](field func(T) *int64) option[T] {
	return option[T]{syntax: "<size>", min: 1, max: 1, parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = parseSize(args[0])
		return err
	}}
}

// rate is an option that is a number of events per second.
func rate[T any](field func(T) *RateConfig) option[T] {
	return option[T]{syntax: "<n>/s [<burst>]", min: 1, max: 2, parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = parseRate(args)
		return err
	}}
}
