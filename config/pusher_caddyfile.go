package config

import (
	"errors"
	"maps"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// ParsePusher reads
//
//	pusher <app id> {
//		key    <key>
//		secret <secret>
//		prefix <text>
//		client_events
//		subscription_count
//		watchlists
//		recover
//		path   <path>
//		origins <origin>…
//		activity_timeout <duration>
//		members <n>
//		webhooks <event>… { <directives…> }
//	}
//
// Further pairs of key and secret may follow. checkOrigin checks an origin without placeholders.
func ParsePusher(d *caddyfile.Dispenser, args []string, checkOrigin func(string) error) (*Pusher, error) {
	c := &Pusher{App: args[0]}
	if err := PusherOptions(checkOrigin).ParseBlock(d, "pusher", c); err != nil {
		return nil, err
	}
	return c, c.Check()
}

// PusherOptions returns the options of `pusher`. checkOrigin checks an origin without placeholders.
func PusherOptions(checkOrigin func(string) error) block.Options[*Pusher] {
	options := maps.Clone(pusherOptions)
	options["origins"] = block.Option[*Pusher]{Syntax: "<origin>…", Min: 1, Max: -1, Parse: func(_ *caddyfile.Dispenser, args []string, c *Pusher) error {
		c.Origins = args
		return checkOrigins(args, checkOrigin)
	}}
	return options
}

var pusherOptions = block.Options[*Pusher]{
	"key": {Syntax: "<key>", Min: 1, Max: 1, Repeat: true, Parse: func(_ *caddyfile.Dispenser, args []string, c *Pusher) error {
		c.Keys = append(c.Keys, PusherKey{Key: args[0]})
		return nil
	}},
	"secret": {Syntax: "<secret>", Min: 1, Max: 1, Repeat: true, Parse: func(_ *caddyfile.Dispenser, args []string, c *Pusher) error {
		n := len(c.Keys)
		if n == 0 || c.Keys[n-1].Secret != "" {
			return errors.New("it belongs behind its 'key'")
		}
		c.Keys[n-1].Secret = args[0]
		return nil
	}},
	"prefix": {Syntax: "<text>", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c *Pusher) error {
		c.Prefix = args[0]
		return nil
	}},
	"client_events": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *Pusher) error {
		c.ClientEvents = true
		return nil
	}},
	"subscription_count": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *Pusher) error {
		c.SubscriptionCount = true
		return nil
	}},
	"watchlists": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *Pusher) error {
		c.Watchlists = true
		return nil
	}},
	"recover": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *Pusher) error {
		c.Recover = true
		return nil
	}},
	"path": {Syntax: "<path>", Min: 1, Max: 1, Parse: func(_ *caddyfile.Dispenser, args []string, c *Pusher) error {
		c.Path = args[0]
		return nil
	}},
	"members":          block.Count(func(c *Pusher) *int { return &c.Members }),
	"webhooks":         {Syntax: "<event>… { <directives…> }", Min: 1, Max: -1, Block: true, Parse: parseWebhooks},
	"activity_timeout": block.Duration(func(c *Pusher) *caddy.Duration { return &c.ActivityTimeout }),
}
