package realtime

import (
	"errors"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// parseToken reads
//
//	token {
//		hmac       <secret>…
//		public_key <file>…
//		jwks       <url>
//		issuer     <issuer>
//		audience   <audience>
//		leeway     <duration>
//		from       header|cookie:<name>|query:<name>|subprotocol|message …
//		required
//		deadline   <duration>
//	}
//
// with one of hmac, public_key and jwks. hmac and public_key may be repeated. Placeholders stay as they are, so that no
// secret gets into the adapted configuration.
func parseToken(d *caddyfile.Dispenser, _ []string, h *Handler) error {
	h.Token = new(TokenConfig)
	if err := tokenOptions.parseBlock(d, "token", h.Token); err != nil {
		return err
	}
	return h.Token.check()
}

var tokenOptions = options[*TokenConfig]{
	"hmac":       keyList("<secret>…", func(c *TokenConfig) *[]string { return &c.HMAC }),
	"public_key": keyList("<file>…", func(c *TokenConfig) *[]string { return &c.PublicKey }),
	"jwks":       text("<url>", func(c *TokenConfig) *string { return &c.JWKS }),
	"issuer":     text("<issuer>", func(c *TokenConfig) *string { return &c.Issuer }),
	"audience":   text("<audience>", func(c *TokenConfig) *string { return &c.Audience }),
	"leeway":     duration(func(c *TokenConfig) *caddy.Duration { return &c.Leeway }),
	"from":       {syntax: "header|cookie:<name>|query:<name>|subprotocol|message …", min: 1, max: -1, parse: parseFrom},
	"required":   {parse: func(_ *caddyfile.Dispenser, _ []string, c *TokenConfig) error { c.Required = true; return nil }},
	"deadline":   duration(func(c *TokenConfig) *caddy.Duration { return &c.Deadline }),
}

func parseFrom(_ *caddyfile.Dispenser, args []string, c *TokenConfig) error {
	c.From = args
	_, err := parseSources(args)
	return err
}

// keyList is an option that names one key or several, in one line or several.
func keyList(syntax string, field func(*TokenConfig) *[]string) option[*TokenConfig] {
	return option[*TokenConfig]{syntax: syntax, min: 1, max: -1, repeat: true, parse: func(_ *caddyfile.Dispenser, args []string, c *TokenConfig) error {
		for _, key := range args {
			if key == "" {
				return errors.New("it is empty")
			}
			if slices.Contains(*field(c), key) {
				return errors.New("the same is there already")
			}
			*field(c) = append(*field(c), key)
		}
		return nil
	}}
}

// text is an option that is any text but an empty one.
func text[T any](syntax string, field func(T) *string) option[T] {
	return word(syntax, field, func(s string) error {
		if s == "" {
			return errors.New("it is empty")
		}
		return nil
	})
}

// duration is an option that is a positive duration.
func duration[T any](field func(T) *caddy.Duration) option[T] {
	return option[T]{syntax: "<duration>", min: 1, max: 1, parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = parseDuration(args[0])
		return err
	}}
}
