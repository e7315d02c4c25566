package realtime

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
)

// TokenConfig says which tokens (JWT, RFC 7519) are accepted, and where in a request
// they are looked for. Exactly one of HMAC, PublicKey and JWKS is given; it decides
// which algorithms are accepted. A token needs a time of expiry (exp). Its subject
// (sub) is the id of the user, its claim info what others may know of them, and its
// claim channels grants access to rooms.
type TokenConfig struct {
	// HMAC is a secret of at least 32 bytes that is shared with whoever issues the
	// tokens, for HS256, HS384 and HS512. Write a placeholder such as {env.SECRET}
	// or {file./path}, so that the secret itself stays out of the configuration.
	HMAC string `json:"hmac,omitempty"`

	// PublicKey is the path of a PEM file with the RSA, ECDSA or Ed25519 public key
	// of the issuer, or with a certificate. It is read when the configuration is
	// loaded. May contain placeholders such as {env.KEYS}.
	PublicKey string `json:"public_key,omitempty"`

	// JWKS is the URL of the issuer's key set (RFC 7517), with https; http is
	// accepted for loopback addresses. It is fetched when the configuration starts
	// and every ten minutes from then on. May contain placeholders such as
	// {env.ISSUER}.
	JWKS string `json:"jwks,omitempty"`

	// Issuer must be the token's issuer (iss). May contain placeholders such as
	// {env.ISSUER}. Default: any.
	Issuer string `json:"issuer,omitempty"`

	// Audience must be one of the token's audiences (aud). May contain placeholders
	// such as {env.AUDIENCE}. Default: any.
	Audience string `json:"audience,omitempty"`

	// Leeway forgives clocks that differ. Default: 30s, which zero means as well.
	Leeway caddy.Duration `json:"leeway,omitempty"`

	// From says where tokens are looked for, in this order: `header` (Authorization:
	// Bearer), `cookie:NAME`, `query:NAME`, `subprotocol` (realtime.token.TOKEN in
	// Sec-WebSocket-Protocol, beside realtime.v1) and `message` (the command
	// `authenticate`). The first one found counts. Default: `header`, `message`.
	From []string `json:"from,omitempty"`

	// Required lets nobody in who is not recognized, be it by a token or as the User
	// of the route; with `message` in From a WebSocket connection is accepted and
	// has to authenticate before anything else. Default: who has no token is
	// anonymous.
	Required bool `json:"required,omitempty"`

	// Deadline is how long a connection that has to authenticate may take. Default:
	// 10s, which zero means as well.
	Deadline caddy.Duration `json:"deadline,omitempty"`
}

// from gives the sources, with the default filled in.
func (c *TokenConfig) from() []string {
	if len(c.From) == 0 {
		return []string{sourceHeader, sourceMessage}
	}
	return c.From
}

// check finds what is wrong whatever placeholders and files turn out to be.
func (c *TokenConfig) check() error {
	keys := 0
	for _, key := range []string{c.HMAC, c.PublicKey, c.JWKS} {
		if key != "" {
			keys++
		}
	}
	message := slices.Contains(c.from(), sourceMessage)
	switch {
	case keys != 1:
		return fmt.Errorf("exactly one of hmac, public_key and jwks is needed, not %d", keys)
	case c.Leeway < 0 || c.Deadline < 0:
		return errors.New("negative duration")
	case c.Deadline > 0 && !(c.Required && message):
		return errors.New("'deadline' is about those who must authenticate by message, so that it needs 'required' and 'from message'")
	}
	if _, err := parseSources(c.from()); err != nil {
		return err
	}
	return c.checkLiterals()
}

// checkLiterals looks at what has no placeholders.
func (c *TokenConfig) checkLiterals() error {
	var a auth.Config
	switch {
	case c.JWKS != "" && constant(c.JWKS):
		a.JWKS = c.JWKS
	case c.HMAC != "" && constant(c.HMAC):
		a.Secret = []byte(c.HMAC)
	default:
		return nil
	}
	_, err := auth.New(a)
	return err
}

// compile makes a verifier, which is not started.
func (c *TokenConfig) compile(read readFile) (*auth.Verifier, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	a := auth.Config{Leeway: time.Duration(c.Leeway)}
	repl := caddy.NewReplacer()
	for _, o := range []struct {
		name, value string
		take        func(string) error
	}{
		{"hmac", c.HMAC, func(s string) error { a.Secret = []byte(s); return nil }},
		{"public_key", c.PublicKey, func(s string) (err error) { a.PublicKey, err = readKey(s, read); return err }},
		{"jwks", c.JWKS, func(s string) error { a.JWKS = s; return nil }},
		{"issuer", c.Issuer, func(s string) error { a.Issuer = s; return nil }},
		{"audience", c.Audience, func(s string) error { a.Audience = s; return nil }},
	} {
		if o.value == "" {
			continue
		}
		s, err := repl.ReplaceOrErr(o.value, true, true) // the error names the placeholder, not its value
		if err == nil {
			err = o.take(s)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return auth.New(a)
}

func readKey(name string, read readFile) (any, error) {
	text, err := read(name)
	if err != nil {
		return nil, err
	}
	key, err := auth.ParsePublicKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

// inTheClear reports that the secret stands in the configuration itself.
func (c *TokenConfig) inTheClear() bool {
	return c.HMAC != "" && caddy.NewReplacer().ReplaceAll(c.HMAC, "") == c.HMAC
}
