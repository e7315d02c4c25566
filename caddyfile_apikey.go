package realtime

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// parseAPIKeys reads
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
// configuration.
func parseAPIKeys(d *caddyfile.Dispenser, args []string, h *Handler) error {
	if err := checkAPIKeys(args); err != nil {
		return err
	}
	key := APIKeyConfig{Key: args[0]}
	if !block.Opens(*d) {
		h.APIKeys = append(h.APIKeys, args...)
		return nil
	}
	if len(args) > 1 {
		return errScopeOfSeveral
	}
	if err := scopeOptions.ParseBlock(d, "api_key", &key); err != nil {
		return err
	}
	if _, err := key.scope(); err != nil {
		return err
	}
	h.ScopedAPIKeys = append(h.ScopedAPIKeys, key)
	return nil
}

var scopeOptions = block.Options[*APIKeyConfig]{
	"publish":  allowed("publish"),
	"history":  allowed("history"),
	"presence": allowed("presence"),
	"change":   allowed("change"),
	"manage": {Parse: func(_ *caddyfile.Dispenser, _ []string, c *APIKeyConfig) error {
		c.Manage = true
		return nil
	}},
}

func allowed(action string) block.Option[*APIKeyConfig] {
	return block.Option[*APIKeyConfig]{Syntax: "<pattern>…", Min: 1, Max: -1, Parse: func(_ *caddyfile.Dispenser, args []string, c *APIKeyConfig) error {
		if c.Allow == nil {
			c.Allow = make(map[string][]string)
		}
		c.Allow[action] = args
		return nil
	}}
}
