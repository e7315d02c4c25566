package realtime

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

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
