package config

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// Token says which tokens (JWT, RFC 7519) are accepted, and where in a request they are
// looked for. Exactly one of HMAC, PublicKey and JWKS is set; it decides which algorithms
// are accepted. Several secrets or public keys are in force at the same time: a token is
// good if any of them has signed it, so that one key can replace another. A token needs a
// time of expiry (exp). Its subject (sub) is the id of the user, its claim `info` is what
// others may know of the user, and its claim `channels` grants access to rooms.
type Token struct {
	// HMAC are secrets that are shared with the issuer of the tokens, for HS256, HS384 and
	// HS512; at most 16, each of at least 32 bytes. Write placeholders such as
	// {env.SECRET} or {file./path}, so that the secrets themselves stay out of the
	// configuration. While tokens come, a file is read again at most once a second. Its new
	// content is in force at once, and connections stay.
	HMAC []string `json:"hmac,omitempty"`

	// PublicKey are the paths of PEM files, at most 16. Each has an RSA, ECDSA or Ed25519
	// public key of the issuer, or a certificate. The files are read again like those of
	// HMAC. May contain placeholders such as {env.KEYS}.
	PublicKey []string `json:"public_key,omitempty"`

	// JWKS is the URL of the issuer's key set (RFC 7517), with https; http is accepted for
	// loopback addresses. It is fetched when the configuration starts and every ten
	// minutes from then on. Keys in it that can not be used are ignored. May contain
	// placeholders such as {env.ISSUER}.
	JWKS string `json:"jwks,omitempty"`

	// Issuer must be the token's issuer (iss). May contain placeholders such as
	// {env.ISSUER}. Default: any.
	Issuer string `json:"issuer,omitempty"`

	// Audience must be one of the token's audiences (aud). May contain placeholders such
	// as {env.AUDIENCE}. Default: any.
	Audience string `json:"audience,omitempty"`

	// Leeway allows for clocks that differ: a token is accepted for that much longer than
	// it says, and its connection lives as long. Default: 30s, which zero means as well.
	Leeway caddy.Duration `json:"leeway,omitempty"`

	// From says where tokens are looked for, in this order: `header` (Authorization:
	// Bearer), `cookie:NAME`, `query:NAME`, `subprotocol` (realtime.token.TOKEN in
	// Sec-WebSocket-Protocol, beside realtime.v1) and `message` (the command
	// `authenticate`). The first token that is found counts. Default: `header`, `message`.
	From []string `json:"from,omitempty"`

	// Required rejects clients that are not recognized, by a token or as the User of the
	// route. With `message` in From a WebSocket connection is accepted, and the client must
	// authenticate before anything else. Default: a client without a token is anonymous.
	Required bool `json:"required,omitempty"`

	// Deadline is how long a connection that must authenticate may take for that. Default:
	// 10s, which zero means as well.
	Deadline caddy.Duration `json:"deadline,omitempty"`
}

// from returns the words of From, with the default filled in.
func (c *Token) from() []string {
	if len(c.From) == 0 {
		return []string{FromHeader, FromMessage}
	}
	return c.From
}

// Check reports what is wrong whatever the values of placeholders and files are.
func (c *Token) Check() error {
	keys := 0
	for _, given := range []bool{len(c.HMAC) > 0, len(c.PublicKey) > 0, c.JWKS != ""} {
		if given {
			keys++
		}
	}
	message := slices.Contains(c.from(), FromMessage)
	switch {
	case keys != 1:
		return fmt.Errorf("exactly one of hmac, public_key and jwks is needed, not %d", keys)
	case c.Leeway < 0:
		return fmt.Errorf("'leeway' is negative: %v", time.Duration(c.Leeway))
	case c.Deadline < 0:
		return fmt.Errorf("'deadline' is negative: %v", time.Duration(c.Deadline))
	case c.Deadline > 0 && !(c.Required && message):
		return errors.New("'deadline' is about those who must authenticate by message, so that it needs 'required' and 'from message'")
	}
	if _, err := c.Sources(); err != nil {
		return err
	}
	return c.checkLiterals()
}

// Sources returns where tokens are looked for, in this order.
func (c *Token) Sources() ([]Source, error) { return ParseSources(c.from()) }

// checkLiterals checks the values that have no placeholders.
func (c *Token) checkLiterals() error {
	if c.JWKS != "" && block.Constant(c.JWKS) {
		_, err := auth.New(auth.Config{JWKS: c.JWKS})
		return err
	}
	for i, secret := range c.HMAC {
		if err := checkSecret(secret); err != nil {
			return fmt.Errorf("hmac: secret %d: %w", i+1, err)
		}
	}
	return nil
}

// checkSecret checks a secret that has no placeholders.
func checkSecret(secret string) error {
	if !block.Constant(secret) {
		return nil
	}
	return auth.Keys{Secrets: [][]byte{[]byte(secret)}}.Check()
}
