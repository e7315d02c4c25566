package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// Key is an API key. It holds a hash, which makes all keys equally long.
type Key struct {
	sum [sha256.Size]byte
	// ID names the key in the store and to other nodes.
	ID string
	// Scope is what the key may do; nil: everything.
	Scope *policy.Scope
}

// keyID names a key to the other nodes and in the store without revealing it. The same key
// has the same id everywhere. The text before the key makes this another hash than the one
// that requests are compared with.
func keyID(key string) string {
	sum := sha256.Sum256([]byte("caddy-realtime API key\x00" + key))
	return hex.EncodeToString(sum[:8])
}

func newAPIKey(key string, scope *policy.Scope) Key {
	return Key{sha256.Sum256([]byte(key)), keyID(key), scope}
}

// equal compares keys that were made by one keyring, whose scopes are the same for good.
func (k Key) equal(o Key) bool { return k.sum == o.sum && k.Scope == o.Scope }

type apiKeys []Key

// match finds the key that a token is; nil for none. It takes the same time for every
// token, right or wrong.
func (ks apiKeys) match(token string) *Key {
	sum, found := sha256.Sum256([]byte(token)), -1
	for i := range ks {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(ks[i].sum[:], sum[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &ks[found]
}
