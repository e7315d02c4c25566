package config

import (
	"errors"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// ParseToken reads
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
// with one of hmac, public_key and jwks. hmac and public_key may be repeated. Placeholders
// stay as they are, so that no secret gets into the adapted configuration.
func ParseToken(d *caddyfile.Dispenser) (*Token, error) {
	c := new(Token)
	if err := TokenOptions.ParseBlock(d, "token", c); err != nil {
		return nil, err
	}
	return c, c.Check()
}

// TokenOptions are the options of `token`.
var TokenOptions = block.Options[*Token]{
	"hmac":       keyList("<secret>…", func(c *Token) *[]string { return &c.HMAC }, checkSecret),
	"public_key": keyList("<file>…", func(c *Token) *[]string { return &c.PublicKey }, nil),
	"jwks":       block.Text("<url>", func(c *Token) *string { return &c.JWKS }),
	"issuer":     block.Text("<issuer>", func(c *Token) *string { return &c.Issuer }),
	"audience":   block.Text("<audience>", func(c *Token) *string { return &c.Audience }),
	"leeway":     block.Duration(func(c *Token) *caddy.Duration { return &c.Leeway }),
	"from":       {Syntax: "header|cookie:<name>|query:<name>|subprotocol|message …", Min: 1, Max: -1, Parse: parseFrom},
	"required":   {Parse: func(_ *caddyfile.Dispenser, _ []string, c *Token) error { c.Required = true; return nil }},
	"deadline":   block.Duration(func(c *Token) *caddy.Duration { return &c.Deadline }),
}

func parseFrom(_ *caddyfile.Dispenser, args []string, c *Token) error {
	c.From = args
	_, err := ParseSources(args)
	return err
}

// keyList is an option that names one key or several, in one line or several. check may be
// nil. It checks each key here, so that an error names this option and its line.
func keyList(syntax string, field func(*Token) *[]string, check func(key string) error) block.Option[*Token] {
	return block.Option[*Token]{Syntax: syntax, Min: 1, Max: -1, Repeat: true, Parse: func(_ *caddyfile.Dispenser, args []string, c *Token) error {
		for _, key := range args {
			if key == "" {
				return errors.New("it is empty")
			}
			if slices.Contains(*field(c), key) {
				return errors.New("the same is there already")
			}
			if check != nil {
				if err := check(key); err != nil {
					return err
				}
			}
			*field(c) = append(*field(c), key)
		}
		return nil
	}}
}
