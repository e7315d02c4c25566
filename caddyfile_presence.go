package realtime

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// parsePresence reads
//
//	presence [{
//		grace    <duration>|off
//		remember <duration>|off
//		snapshot <n>
//		visible  anyone|users|granted|server
//	}]
func parsePresence(d *caddyfile.Dispenser, _ []string, c *RoomConfig) error {
	c.Presence = new(PresenceConfig)
	if err := presenceOptions.parseBlock(d, "presence", c.Presence); err != nil {
		return err
	}
	_, _, err := c.Presence.compile()
	return err
}

var presenceOptions = options[*PresenceConfig]{
	"grace":    durationOrOff(func(c *PresenceConfig) *caddy.Duration { return &c.Grace }),
	"remember": durationOrOff(func(c *PresenceConfig) *caddy.Duration { return &c.Remember }),
	"snapshot": count(func(c *PresenceConfig) *int { return &c.Snapshot }),
	"visible":  word(accessWords, func(c *PresenceConfig) *string { return &c.Visible }, accessWord),
}

// durationOrOff is an option that is a duration, or `off` for none, which is
// negative in the configuration because zero means the default there.
func durationOrOff[T any](field func(T) *caddy.Duration) option[T] {
	return option[T]{syntax: "<duration>|off", min: 1, max: 1, parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		if args[0] == "off" {
			*field(c) = -1
			return nil
		}
		*field(c), err = parseDuration(args[0])
		return err
	}}
}
