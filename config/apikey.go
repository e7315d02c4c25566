package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// APIKey is an API key that may not do everything.
type APIKey struct {
	// Key is what the app sends as `Authorization: Bearer <key>`; a placeholder such as
	// {env.KEY} or {file./path}, as in the api_keys of the route. Required.
	Key string `json:"key"`

	// Allow has the patterns of the channels in which the key may do something, by action:
	// `publish`, `history`, `presence`, `change`. The document of a channel may be read
	// with `history` or `change`. Patterns are those of rooms, without placeholders.
	// Default: none.
	Allow map[string][]string `json:"allow,omitempty"`

	// Manage lets the key list channels, disconnect users and connections, and revoke
	// tokens. Default: false.
	Manage bool `json:"manage,omitempty"`
}

// Scope returns what the key may do.
func (c *APIKey) Scope() (*policy.Scope, error) {
	if len(c.Allow) == 0 && !c.Manage {
		return nil, errors.New("the key may do nothing; without a block it may do everything")
	}
	return policy.NewScope(c.Allow, c.Manage)
}

// CheckAPIKeys finds keys that are empty as they are written.
func CheckAPIKeys(keys []string) error {
	for i, key := range keys {
		if strings.TrimSpace(key) == "" {
			return fmt.Errorf("key %d is empty", i+1)
		}
	}
	return nil
}
