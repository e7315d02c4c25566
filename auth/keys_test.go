package auth

import (
	"context"
	"crypto"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// While one key replaces another, tokens of both are accepted, whatever they say about the
// name of their key; each key is used with its own algorithms only.
func TestSeveralKeys(t *testing.T) {
	t.Parallel()
	other := []byte("another secret, of thirty-two bytes and more")
	shared := verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret, other, secret}}})
	public := verifier(t, Config{Keys: Keys{Public: []crypto.PublicKey{&rsaKey.PublicKey, &ecKey.PublicKey, edKey.Public()}}})
	for name, tc := range map[string]struct {
		v     *Verifier
		token string
		good  bool
	}{
		"first secret":                 {shared, sign(t, jwt.SigningMethodHS256, secret, nil, good()), true},
		"second secret":                {shared, sign(t, jwt.SigningMethodHS512, other, kid("a"), good()), true},
		"third secret":                 {shared, sign(t, jwt.SigningMethodHS256, []byte("a third secret, of thirty-two bytes"), nil, good()), false},
		"RSA":                          {public, sign(t, jwt.SigningMethodPS256, rsaKey, nil, good()), true},
		"ECDSA":                        {public, sign(t, jwt.SigningMethodES256, ecKey, nil, good()), true},
		"Ed25519":                      {public, sign(t, jwt.SigningMethodEdDSA, edKey, nil, good()), true},
		"HMAC with the public key":     {public, sign(t, jwt.SigningMethodHS256, publicPEM(t, &rsaKey.PublicKey), nil, good()), false},
		"an algorithm that no key has": {verifier(t, Config{Keys: Keys{Public: []crypto.PublicKey{&rsaKey.PublicKey}}}), sign(t, jwt.SigningMethodES256, ecKey, nil, good()), false},
	} {
		if _, err := tc.v.Verify(context.Background(), tc.token); (err == nil) != tc.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys are replaced while the verifier is in use. Keys that can not be used change nothing.
func TestReplacedKeys(t *testing.T) {
	t.Parallel()
	other := []byte("another secret, of thirty-two bytes and more")
	var next Keys
	var v *Verifier
	var failed error
	v = verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret}}, Before: func() { failed = v.Replace(next) }})
	accepts := func(key []byte) bool {
		_, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodHS256, key, nil, good()))
		return err == nil
	}
	for _, step := range []struct {
		keys              Keys
		fails, old, other bool
	}{
		{Keys{Secrets: [][]byte{[]byte("half of a secre")}}, true, true, false},
		{Keys{}, true, true, false},
		{Keys{Secrets: [][]byte{secret, other}}, false, true, true},
		{Keys{Secrets: [][]byte{other}}, false, false, true},
		{Keys{Public: []crypto.PublicKey{&rsaKey.PublicKey}}, false, false, false},
	} {
		next = step.keys
		if old, new := accepts(secret), accepts(other); old != step.old || new != step.other || (failed != nil) != step.fails {
			t.Errorf("after %v: old %v, new %v, %v", step.keys, old, new, failed)
		}
	}
	if err := verifier(t, Config{JWKS: "https://example.com/"}).Replace(Keys{Secrets: [][]byte{secret}}); err == nil {
		t.Error("a key set took a secret")
	}
}

// The end of an identity is the time until which its token is accepted.
func TestLeewayIsInTheEnd(t *testing.T) {
	t.Parallel()
	for leeway, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Second: time.Second, 5 * time.Minute: 5 * time.Minute} {
		v, exp := verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret}}, Leeway: leeway}), in(time.Hour)
		id, err := v.Verify(context.Background(), sign(t, jwt.SigningMethodHS256, secret, nil, with("exp", exp)))
		if err != nil || !id.Expires.Equal(time.Unix(exp, 0).Add(want)) {
			t.Errorf("leeway %v: %v, %v after exp", leeway, err, id.Expires.Sub(time.Unix(exp, 0)))
		}
		if v.Leeway() != want {
			t.Errorf("leeway %v is %v", leeway, v.Leeway())
		}
	}
}
