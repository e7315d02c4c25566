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

// ErrIgnored is reported about keys of a set that can not be used. The others are.
var ErrIgnored = errors.New("auth: keys of the set are ignored")

// maxRSA is the greatest size of an RSA key in bits. A check with a larger key takes too
// long.
const maxRSA = 16384

// maxReasons bounds how many of the ignored keys of a set are reported.
const maxReasons = 20

// parseSet reads a key set (RFC 7517) and returns its keys by their ID. Keys that can not
// be used are left out, one by one (section 5), and so are keys beyond maxKeys of one ID,
// because a token is tried with each of them; ignored says why. A set without usable
// keys is an error.
func parseSet(text []byte) (keys map[string][]key, ignored, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, nil, fmt.Errorf("the answer is not a key set: %w", err)
	}
	keys = make(map[string][]key)
	var bad []string
	for i, text := range set.Keys {
		id, k, err := parseKey(text)
		if err == nil && len(keys[id]) == maxKeys {
			err = fmt.Errorf("there are %d keys of this name already", maxKeys)
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

// jwk is what counts of a key of a set. The rest is not read: it can not spoil the key.
// Private parts are left alone, too.
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

func parseKey(text []byte) (id string, k key, err error) {
	var j jwk
	if err := json.Unmarshal(text, &j); err != nil {
		return j.ID, key{}, err
	}
	switch {
	case j.Use != "" && j.Use != "sig":
		return j.ID, key{}, fmt.Errorf("it is for the use %.20q, not for signatures", j.Use)
	case len(j.Operations) > 0 && !slices.Contains(j.Operations, "verify"):
		return j.ID, key{}, errors.New("it is not for verifying signatures")
	case j.Type == jwkset.KtyOct:
		return j.ID, key{}, errors.New("it is a shared secret")
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
