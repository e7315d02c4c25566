package realtime

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
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
	if !opens(*d) {
		h.APIKeys = append(h.APIKeys, args...)
		return nil
	}
	if len(args) > 1 {
		return errScopeOfSeveral
	}
	if err := scopeOptions.parseBlock(d, "api_key", &key); err != nil {
		return err
	}
	if _, err := key.scope(); err != nil {
		return err
	}
	h.ScopedAPIKeys = append(h.ScopedAPIKeys, key)
	return nil
}

var scopeOptions = options[*APIKeyConfig]{
	"publish":  allowed("publish"),
	"history":  allowed("history"),
	"presence": allowed("presence"),
	"change":   allowed("change"),
	"manage": {parse: func(_ *caddyfile.Dispenser, _ []string, c *APIKeyConfig) error {
		c.Manage = true
		return nil
	}},
}

func allowed(action string) option[*APIKeyConfig] {
	return option[*APIKeyConfig]{syntax: "<pattern>…", min: 1, max: -1, parse: func(_ *caddyfile.Dispenser, args []string, c *APIKeyConfig) error {
		if c.Allow == nil {
			c.Allow = make(map[string][]string)
		}
		c.Allow[action] = args
		return nil
	}}
}
