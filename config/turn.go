package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// Turn gives clients credentials for TURN servers, which relay calls between browsers that have
// no direct path. The credentials are valid for a limited time, by the scheme that coturn calls
// its REST API.
type Turn struct {
	// URIs are the servers: `turn:` or `turns:`, and `stun:` or `stuns:` for those that need no
	// credentials. At most 16. May contain placeholders such as {env.TURN_URI}. Required.
	URIs []string `json:"uris,omitempty"`

	// Secret is shared with the TURN servers; coturn calls it static-auth-secret. Write a
	// placeholder such as {env.SECRET} or {file./path}, so that the secret itself stays out of
	// the configuration. It is read when the configuration is loaded. Required.
	Secret string `json:"secret,omitempty"`

	// TTL is how long credentials are valid, at least 1m and at most 24h. A call that is
	// already relayed goes on afterwards. Default: 1h, which zero means as well.
	TTL caddy.Duration `json:"ttl,omitempty"`

	// Anyone gives credentials also to clients that are not signed in. Then everybody who can
	// reach the endpoint can use the relay. Default: only users get credentials.
	Anyone bool `json:"anyone,omitempty"`
}

const (
	// DefaultTurnTTL, MinTurnTTL and MaxTurnTTL are about the life of credentials.
	DefaultTurnTTL = time.Hour
	MinTurnTTL     = time.Minute
	MaxTurnTTL     = 24 * time.Hour
	// MaxTurnURIs bounds the servers. Browsers warn about more than five.
	MaxTurnURIs = 16
)

// Check reports what is wrong whatever the values of placeholders are.
func (c *Turn) Check() error {
	ttl := time.Duration(c.TTL)
	switch {
	case len(c.URIs) == 0:
		return errors.New("there is no 'uri' of a TURN server")
	case len(c.URIs) > MaxTurnURIs:
		return fmt.Errorf("there are %d servers, and at most %d are possible", len(c.URIs), MaxTurnURIs)
	case strings.TrimSpace(c.Secret) == "":
		return errors.New("there is no 'secret', which the TURN servers must share")
	case ttl != 0 && (ttl < MinTurnTTL || ttl > MaxTurnTTL):
		return fmt.Errorf("the ttl is %s; it must be from %s to %s", ttl, MinTurnTTL, MaxTurnTTL)
	}
	for _, uri := range c.URIs {
		if err := checkTurnURI(uri); err != nil {
			return err
		}
	}
	return nil
}

// checkTurnURI checks a URI that does not start with a placeholder.
func checkTurnURI(uri string) error {
	scheme, host, ok := strings.Cut(uri, ":")
	switch {
	case block.StartsWithPlaceholder(uri):
		return nil
	case !ok || host == "" || !slices.Contains([]string{"turn", "turns", "stun", "stuns"}, scheme):
		return fmt.Errorf("'%s' is not an address such as turn:turn.example.com:3478", uri)
	case strings.HasPrefix(host, "//"):
		return fmt.Errorf("'%s' has slashes, which browsers reject; write %s:%s", uri, scheme, strings.TrimLeft(host, "/"))
	case strings.ContainsAny(uri, " ,"):
		return fmt.Errorf("'%s' has a space or a comma; write several addresses with spaces between them", uri)
	}
	return nil
}

// Compile checks the block and resolves its placeholders. Errors never show the secret.
func (c *Turn) Compile() (*auth.TURN, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	t := &auth.TURN{TTL: cmp.Or(time.Duration(c.TTL), DefaultTurnTTL)}
	for _, text := range c.URIs {
		uri, err := block.Resolve(text)
		if err == nil {
			err = checkTurnURI(uri)
		}
		if err != nil {
			return nil, block.Locate(text, fmt.Errorf("uri: %w", err))
		}
		t.Add(uri)
	}
	secret, err := block.Resolve(c.Secret)
	if err != nil {
		return nil, block.Locate(c.Secret, fmt.Errorf("secret: %w", err))
	}
	t.Secret = []byte(strings.TrimSpace(secret))
	return t, nil
}
