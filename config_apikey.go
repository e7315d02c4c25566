package realtime

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// APIKeyConfig is an API key that may not do everything.
type APIKeyConfig struct {
	// Key is what the app sends as `Authorization: Bearer <key>`; a placeholder
	// such as {env.KEY} or {file./path}, as with APIKeys. Required.
	Key string `json:"key"`

	// Allow are the patterns of the channels in which the key may do something, by
	// action: `publish`, `history`, `presence`, `change`. The document of a channel may
	// be read with `history` or `change`. Patterns are those of rooms, without
	// placeholders. Default: none.
	Allow map[string][]string `json:"allow,omitempty"`

	// Manage lets the key list channels, disconnect users and connections, and
	// revoke tokens. Default: false.
	Manage bool `json:"manage,omitempty"`
}

func (c *APIKeyConfig) scope() (*policy.Scope, error) {
	if len(c.Allow) == 0 && !c.Manage {
		return nil, errors.New("the key may do nothing; without a block it may do everything")
	}
	return policy.NewScope(c.Allow, c.Manage)
}

// apiKey is the hash of a key, which makes all of them equally long.
type apiKey struct {
	sum   [sha256.Size]byte
	id    string
	scope *policy.Scope // nil: everything
}

// keyID identifies a key to the other nodes and in the store, without telling it: the
// same key has the same id everywhere. The word before the key makes it another hash
// than the one that requests are compared with.
func keyID(key string) string {
	sum := sha256.Sum256([]byte("caddy-realtime API key\x00" + key))
	return hex.EncodeToString(sum[:8])
}

func newAPIKey(key string, scope *policy.Scope) apiKey {
	return apiKey{sha256.Sum256([]byte(key)), keyID(key), scope}
}

// equal compares keys that were made by one keyring, whose scopes are the same for good.
func (k apiKey) equal(o apiKey) bool { return k.sum == o.sum && k.scope == o.scope }

type apiKeys []apiKey

// match finds the key that a token is; nil for none. It takes the same time for every
// token, right or wrong.
func (ks apiKeys) match(token string) *apiKey {
	sum, found := sha256.Sum256([]byte(token)), -1
	for i := range ks {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(ks[i].sum[:], sum[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &ks[found]
}

// appKey is the API key of a request; nil for none.
func (h *Handler) appKey(r *http.Request) *apiKey {
	token, sent := bearer(r)
	if !sent {
		return nil
	}
	return h.keys.match(token)
}
