package config

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/policy"
)

// ParseNotify reads
//
//	notify {
//		events   connected|disconnected|occupied|vacated|entered|left|message|changed …
//		channels <pattern>…
//		secret   <secret> [<secret>]
//		batch    <n> [<wait>]
//		retry    <duration>
//		buffer   <n> [<size>]
//		<directives…>
//	}
//
// The directives are any of Caddy's; [Notify.ParseRoutes] parses them.
func ParseNotify(d *caddyfile.Dispenser) (_ *Notify, err error) {
	at := *d
	c := &Notify{at: &at}
	if c.directives, err = parseDirectives(d, "notify", NotifyOptions, c); err != nil {
		return nil, err
	}
	return c, c.Check()
}

// NotifyOptions are the options of `notify`, beside its directives.
var NotifyOptions = block.Options[*Notify]{
	"events":   {Syntax: "connected|disconnected|occupied|vacated|entered|left|message|changed …", Min: 1, Max: -1, Parse: parseNotifyEvents},
	"channels": {Syntax: "<pattern>…", Min: 1, Max: -1, Parse: parseNotifyChannels},
	"secret":   {Syntax: "<secret> [<secret>]", Min: 1, Max: 2, Parse: parseNotifySecrets},
	"batch":    {Syntax: "<n> [<wait>]", Min: 1, Max: 2, Parse: parseNotifyBatch},
	"retry":    block.Duration(func(c *Notify) *caddy.Duration { return &c.Retry }),
	"buffer":   {Syntax: "<n> [<size>]", Min: 1, Max: 2, Parse: parseNotifyBuffer},
}

func parseNotifyEvents(_ *caddyfile.Dispenser, args []string, c *Notify) error {
	c.Events = args
	_, err := c.types()
	return err
}

func parseNotifyChannels(d *caddyfile.Dispenser, args []string, c *Notify) error {
	at := *d
	c.Channels, c.at = args, &at
	_, err := policy.ParsePatterns(args)
	return err
}

func parseNotifySecrets(_ *caddyfile.Dispenser, args []string, c *Notify) error {
	c.Secrets = args
	return c.checkSecrets()
}

func parseNotifyBatch(_ *caddyfile.Dispenser, args []string, c *Notify) (err error) {
	if c.Batch.Events, err = block.ParseCount(args[0]); err != nil || len(args) == 1 {
		return err
	}
	if c.Batch.Wait, err = block.ParseDuration(args[1]); err == nil && c.Batch.Wait <= 0 {
		err = errors.New("the time to wait is not positive")
	}
	return err
}

func parseNotifyBuffer(_ *caddyfile.Dispenser, args []string, c *Notify) (err error) {
	if c.Buffer.Events, err = block.ParseCount(args[0]); err != nil || len(args) == 1 {
		return err
	}
	c.Buffer.Bytes, err = block.ParseSize(args[1])
	return err
}

// ParseRoutes parses the directives in the block to [Notify.Routes], and checks the patterns if
// the same directive defines the hub.
func (c *Notify) ParseRoutes(h httpcaddyfile.Helper, hub *Hub, apps []*Pusher) (err error) {
	if hub != nil {
		if err = c.CheckRooms(hub, KindsOf(apps)...); err != nil {
			return c.at.WrapErr(err)
		}
	}
	c.Routes, err = parseRoutes(h, c.directives)
	return err
}
