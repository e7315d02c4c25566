package config

import (
	"errors"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// emitterOption is the name under which the place of the option is remembered.
const emitterOption = "option 'emitter'"

func parseEmitter(d *caddyfile.Dispenser, _ []string, c *SocketIO) error {
	block.Remember(d, emitterOption)
	c.Emitter = true
	return nil
}

// CheckEmitter reports whether what emitters publish can be taken from the Redis of a hub.
func (c *Hub) CheckEmitter() error {
	switch {
	case c.Redis == nil:
		return block.Locate(emitterOption, errors.New("option 'emitter': it takes what emitters publish in the Redis of the hub, which needs the option 'redis'"))
	case c.Redis.Cluster != nil:
		return block.Locate(emitterOption, errors.New("option 'emitter': a cluster does not keep the order of what emitters publish; it takes 'redis' without 'cluster'"))
	}
	return nil
}
