package auth

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"
)

// MaxKeys is the greatest number of keys of one verifier, and of keys with one kid in a key
// set. A token that names no key is tried with each of them.
const MaxKeys = 16

// Keys are the keys that the configuration names: shared secrets or public keys. Several of
// one kind may be in use at once, so that one can replace another.
type Keys struct {
	// Secrets are shared with the issuer, for HS256, HS384 and HS512. Each has at least
	// [MinSecret] bytes.
	Secrets [][]byte
	// Public are RSA, ECDSA or Ed25519 keys of the issuer.
	Public []crypto.PublicKey
}

// Check returns an error if the keys can not be used.
func (k Keys) Check() error {
	_, err := k.compile()
	return err
}

// key is a key with the algorithms that it may be used with.
type key struct {
	key        any
	algorithms []string
}

// compile prepares the keys. It keeps one of two equal secrets.
func (k Keys) compile() (all []key, err error) {
	switch n := len(k.Secrets) + len(k.Public); {
	case n == 0:
		return nil, errors.New("auth: there is no secret and no public key")
	case n > MaxKeys:
		return nil, fmt.Errorf("auth: %d keys are too many, at most %d are accepted", n, MaxKeys)
	}
	for i, secret := range k.Secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("auth: the secret has %d bytes, at least %d are needed", len(secret), MinSecret)
		}
		if !slices.ContainsFunc(k.Secrets[:i], func(s []byte) bool { return bytes.Equal(s, secret) }) {
			all = append(all, key{secret, hmacAlgorithms})
		}
	}
	for _, public := range k.Public {
		algorithms, err := algorithmsOf(public)
		if err != nil {
			return nil, err
		}
		all = append(all, key{public, algorithms})
	}
	return all, nil
}

// choose returns the keys that may have signed a token. The token's algorithm must be one
// of the key's algorithms, so that no key is used in another way than its owner meant.
func choose(t *jwt.Token, keys []key) (any, error) {
	var found []jwt.VerificationKey
	for _, k := range keys {
		if slices.Contains(k.algorithms, t.Method.Alg()) {
			found = append(found, k.key)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("there is no key for the algorithm %.20q of the token", t.Method.Alg())
	case 1:
		return found[0], nil
	}
	return jwt.VerificationKeySet{Keys: found}, nil
}

// ring holds the keys that the configuration names. They may be replaced while the ring is
// in use.
type ring struct{ keys atomic.Pointer[[]key] }

func (r *ring) find(t *jwt.Token) (any, error) { return choose(t, *r.keys.Load()) }
