package realtime

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

func parseHubName(_ *caddyfile.Dispenser, args []string, h *Handler) error {
	h.Hub = args[0]
	return config.CheckHubName(h.Hub)
}

// parseOrigins leaves origins with placeholders to Provision.
func parseOrigins(_ *caddyfile.Dispenser, args []string, h *Handler) error {
	h.Origins = args
	for _, o := range args {
		if strings.Contains(o, "{") {
			continue
		}
		if _, err := parseOrigin(o); err != nil {
			return err
		}
	}
	return nil
}

func parseUser(_ *caddyfile.Dispenser, args []string, h *Handler) error {
	h.User = args[0]
	return checkUser(h.User)
}

func parseAPIKeys(d *caddyfile.Dispenser, args []string, h *Handler) error {
	keys, scoped, err := config.ParseAPIKeys(d, args)
	h.APIKeys = append(h.APIKeys, keys...)
	if scoped != nil {
		h.ScopedAPIKeys = append(h.ScopedAPIKeys, *scoped)
	}
	return err
}

func parseToken(d *caddyfile.Dispenser, _ []string, h *Handler) (err error) {
	h.Token, err = config.ParseToken(d)
	return err
}

func parseAuthorize(d *caddyfile.Dispenser, _ []string, h *Handler) (err error) {
	h.Authorize, err = config.ParseAuthorize(d)
	return err
}

// parseInfo reads
//
//	info {
//		<name> <placeholder>
//	}
func parseInfo(d *caddyfile.Dispenser, _ []string, h *Handler) error {
	h.Info = make(map[string]string)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		line, name := *d, d.Val()
		args := d.RemainingArgs()
		if len(args) != 1 {
			return block.Located(line.Errf("a line of 'info' is written: <name> <placeholder>"))
		}
		if _, again := h.Info[name]; again {
			return block.Located(line.Errf("'%s' is repeated in 'info'", name))
		}
		h.Info[name] = args[0]
		if err := checkInfo(h.Info); err != nil {
			return block.Located(line.WrapErr(fmt.Errorf("option 'info': %w", err)))
		}
	}
	if len(h.Info) == 0 {
		return errors.New("there is nothing in it; it is written: info { <name> <placeholder> … }")
	}
	return nil
}

// checkInfo finds values that would be the same for everybody.
func checkInfo(info map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(info)) {
		if block.Constant(info[name]) {
			return fmt.Errorf("'%s' for '%s' has no placeholder such as {http.auth.user.name}", info[name], name)
		}
	}
	return nil
}

// checkUser finds a user that would be the same for everybody.
func checkUser(s string) error {
	if block.Constant(s) {
		return fmt.Errorf("'%s' has no placeholder such as {http.auth.user.id}, so that everyone would be the same user", s)
	}
	return nil
}
