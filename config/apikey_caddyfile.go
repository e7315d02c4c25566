package config

import (
	"errors"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// ParseAPIKeys reads
//
//	api_key <key>…
//	api_key <key> {
//		publish  <pattern>…
//		history  <pattern>…
//		presence <pattern>…
//		change   <pattern>…
//		manage
//	}
//
// Placeholders are kept as they are, so that no secret gets into the adapted
// configuration. Keys without a block are returned as keys, one with a block as scoped.
func ParseAPIKeys(d *caddyfile.Dispenser, args []string) (keys []string, scoped *APIKey, err error) {
	if err := CheckAPIKeys(args); err != nil {
		return nil, nil, err
	}
	if !block.Opens(*d) {
		return args, nil, nil
	}
	if len(args) > 1 {
		return nil, nil, errScopeOfSeveral
	}
	scoped = &APIKey{Key: args[0]}
	if err := APIKeyOptions.ParseBlock(d, "api_key", scoped); err != nil {
		return nil, nil, err
	}
	_, err = scoped.Scope()
	return nil, scoped, err
}

// APIKeyOptions are the options of `api_key`.
var APIKeyOptions = block.Options[*APIKey]{
	"publish":  allowed("publish"),
	"history":  allowed("history"),
	"presence": allowed("presence"),
	"change":   allowed("change"),
	"manage": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *APIKey) error {
		c.Manage = true
		return nil
	}},
}

func allowed(action string) block.Option[*APIKey] {
	return block.Option[*APIKey]{Syntax: "<pattern>…", Min: 1, Max: -1, Parse: func(_ *caddyfile.Dispenser, args []string, c *APIKey) error {
		if c.Allow == nil {
			c.Allow = make(map[string][]string)
		}
		c.Allow[action] = args
		return nil
	}}
}

var errScopeOfSeveral = errors.New("a block is for one key; give each its own")
