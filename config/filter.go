package config

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/filter"
)

// compileFilter compiles the filter of a room. Without one it returns nil.
func compileFilter(text string) (*filter.Filter, error) {
	if text == "" {
		return nil, nil
	}
	f, err := filter.Compile(text, filter.Config)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return f, nil
}

// parseFilter reads
//
//	filter <expression>
func parseFilter(_ *caddyfile.Dispenser, args []string, c *Room) error {
	if args[0] == "" {
		return errors.New("the filter is empty; leave the option out to let all messages pass")
	}
	c.Filter = args[0]
	_, err := filter.Compile(c.Filter, filter.Config)
	return err
}
