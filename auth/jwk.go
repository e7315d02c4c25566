package auth

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"
)

// ErrIgnored is reported if some keys of a set can not be used. The other keys are in use.
var ErrIgnored = errors.New("auth: keys of the set are ignored")

// maxRSA is the greatest size of an RSA key in bits. Verifying with a larger key takes too
// long.
const maxRSA = 16384

// maxReasons bounds how many of the ignored keys of a set are reported.
const maxReasons = 20

// parseSet reads a key set (RFC 7517) and returns its keys by their id. It leaves out
// single keys that can not be used (section 5), and keys beyond MaxKeys of one id, because
// a token is tried with each of them. ignored names them. A set without a usable key is an
// error.
func parseSet(text []byte) (keys map[string][]key, ignored, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, nil, fmt.Errorf("the answer is not a JSON key set: %w", err)
	}
	keys = make(map[string][]key)
	var bad []string
	for i, text := range set.Keys {
		id, k, err := parseKey(text)
		if err == nil && len(keys[id]) == MaxKeys {
			err = fmt.Errorf("the set has %d keys with this kid already", MaxKeys)
		}
		switch {
		case err == nil:
			keys[id] = append(keys[id], k)
		case len(bad) < maxReasons:
			bad = append(bad, fmt.Sprintf("key %d, kid %.100q: %v", i+1, id, err))
		}
	}
	if len(bad) > 0 {
		ignored = fmt.Errorf("%w: %.2000s", ErrIgnored, strings.Join(bad, "; "))
	}
	if len(keys) == 0 {
		return nil, nil, fmt.Errorf("the answer has no key that can be used: %.2000q", strings.Join(bad, "; "))
	}
	return keys, ignored, nil
}

// jwk has the members of a key that count. The others are not read, so that they can not
// make the key unusable. Private parts are not read either.
type jwk struct {
	Type       jwkset.KTY `json:"kty"`
	Use        string     `json:"use"`
	Operations []string   `json:"key_ops"`
	Algorithm  string     `json:"alg"`
	ID         string     `json:"kid"`
	Curve      jwkset.CRV `json:"crv"`
	X          string     `json:"x"`
	Y          string     `json:"y"`
	N          string     `json:"n"`
	E          string     `json:"e"`
}

// parseKey reads one key of a set.
func parseKey(text []byte) (id string, k key, err error) {
	var j jwk
	if err := json.Unmarshal(text, &j); err != nil {
		return j.ID, key{}, err
	}
	switch {
	case j.Use != "" && j.Use != "sig":
		return j.ID, key{}, fmt.Errorf("its use is %.20q; only sig is accepted", j.Use)
	case len(j.Operations) > 0 && !slices.Contains(j.Operations, "verify"):
		return j.ID, key{}, errors.New("its key_ops do not include verify")
	case j.Type == jwkset.KtyOct:
		return j.ID, key{}, errors.New("it is a shared secret (oct); a key set may have public keys only")
	}
	k, err = j.public()
	return j.ID, k, err
}

// public returns the key with the algorithms that the set and the kind of key allow.
func (j *jwk) public() (key, error) {
	parsed, err := jwkset.NewJWKFromMarshal(jwkset.JWKMarshal{
		KTY: j.Type, CRV: j.Curve, X: j.X, Y: j.Y, N: j.N, E: j.E,
	}, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return key{}, err
	}
	public := parsed.Key()
	algorithms, err := algorithmsOf(public)
	if err != nil {
		return key{}, err
	}
	if large, ok := public.(*rsa.PublicKey); ok && large.N.BitLen() > maxRSA {
		return key{}, fmt.Errorf("the RSA key has %d bits, at most %d are accepted", large.N.BitLen(), maxRSA)
	}
	if j.Algorithm != "" {
		if !slices.Contains(algorithms, j.Algorithm) {
			return key{}, fmt.Errorf("the algorithm %.20q is not supported for this kind of key", j.Algorithm)
		}
		algorithms = []string{j.Algorithm}
	}
	return key{public, algorithms}, nil
}
