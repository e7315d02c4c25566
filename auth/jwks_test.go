package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// issuer serves a key set that tests change.
type issuer struct {
	*httptest.Server
	keys    atomic.Pointer[map[string]any]
	fetches atomic.Int32
	status  atomic.Int32
}

func newIssuer(t *testing.T, keys map[string]any) *issuer {
	i := new(issuer)
	i.keys.Store(&keys)
	i.status.Store(http.StatusOK)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		<-time.After(50 * time.Millisecond) // as long as a network takes
		w.WriteHeader(int(i.status.Load()))
		_ = json.NewEncoder(w).Encode(set(t, *i.keys.Load()))
	}))
	t.Cleanup(i.Close)
	return i
}

func set(t *testing.T, keys map[string]any) jwkset.JWKSMarshal {
	store := jwkset.NewMemoryStorage()
	for kid, key := range keys {
		jwk, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.KeyWrite(context.Background(), jwk); err != nil {
			t.Fatal(err)
		}
	}
	out, err := store.Marshal(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func started(t *testing.T, i *issuer) *Verifier {
	v := verifier(t, Config{JWKS: i.URL, Client: i.Client()})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	v.Start(ctx, func(error) {})
	return v
}

func kid(id string) map[string]any { return map[string]any{"kid": id} }

func TestKeySet(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, map[string]any{"a": rsaKey.Public(), "b": ecKey.Public()})
	v := started(t, i)
	verify := func(token string) error {
		_, err := v.Verify(context.Background(), token)
		return err
	}
	if err := verify(sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good())); err != nil {
		t.Errorf("RSA key of the set: %v", err)
	}
	if err := verify(sign(t, jwt.SigningMethodES256, ecKey, kid("b"), good())); err != nil {
		t.Errorf("EC key of the set: %v", err)
	}
	for name, token := range map[string]string{
		"the other key's name":     sign(t, jwt.SigningMethodES256, ecKey, kid("a"), good()),
		"no key named":             sign(t, jwt.SigningMethodRS256, rsaKey, nil, good()),
		"HMAC with the public key": sign(t, jwt.SigningMethodHS256, publicPEM(t, rsaKey.Public()), kid("a"), good()),
		"key id is not text":       sign(t, jwt.SigningMethodRS256, rsaKey, map[string]any{"kid": 7}, good()),
	} {
		if err := verify(token); err == nil || errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v, want an ordinary error", name, err)
		}
	}
}

// A new key is fetched when a token names it; invented names cause no flood.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	i, v := rotated(t)
	if _, err := v.Verify(context.Background(), sign(t, jwt.SigningMethodES256, ecKey, kid("new"), good())); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
	for range 50 {
		_, _ = v.Verify(context.Background(), sign(t, jwt.SigningMethodES256, ecKey, kid("invented"), good()))
	}
	if n := i.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want 2: the first, and one for the new key", n)
	}
}

// rotated returns an issuer that has replaced its key "old" by "new", and a verifier that
// knows the old one.
func rotated(t *testing.T) (*issuer, *Verifier) {
	i := newIssuer(t, map[string]any{"old": rsaKey.Public()})
	v := started(t, i)
	if _, err := v.Verify(context.Background(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("old"), good())); err != nil {
		t.Fatal(err)
	}
	i.keys.Store(&map[string]any{"new": ecKey.Public()})
	return i, v
}

// The one fetch that an unknown key makes in a while is not lost with a client that
// leaves.
func TestKeyRotationWithoutTheClient(t *testing.T) {
	t.Parallel()
	_, v := rotated(t)
	leaving, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, _ = v.Verify(leaving, sign(t, jwt.SigningMethodES256, ecKey, kid("invented"), good()))
	if _, err := v.Verify(context.Background(), sign(t, jwt.SigningMethodES256, ecKey, kid("new"), good())); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
}

// While the issuer is away an unknown key may be a new one.
func TestUnknownKeyWhileTheIssuerIsAway(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, map[string]any{"old": rsaKey.Public()})
	v := started(t, i)
	old := sign(t, jwt.SigningMethodRS256, rsaKey, kid("old"), good())
	if _, err := v.Verify(context.Background(), old); err != nil {
		t.Fatal(err)
	}
	i.status.Store(http.StatusInternalServerError)
	for range 2 { // the second time nothing is fetched
		if _, err := v.Verify(context.Background(), sign(t, jwt.SigningMethodES256, ecKey, kid("new"), good())); !errors.Is(err, ErrKeys) {
			t.Errorf("%v, want ErrKeys", err)
		}
	}
	if _, err := v.Verify(context.Background(), old); err != nil {
		t.Errorf("a known key: %v", err)
	}
}

func TestKeySetAway(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, map[string]any{"a": rsaKey.Public()})
	i.status.Store(http.StatusInternalServerError)
	v := started(t, i)
	token := sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good())
	if _, err := v.Verify(context.Background(), token); !errors.Is(err, ErrKeys) {
		t.Errorf("issuer away: %v, want ErrKeys", err)
	}
	never := verifier(t, Config{JWKS: i.URL})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := never.Verify(ctx, token); !errors.Is(err, ErrKeys) {
		t.Errorf("not started: %v, want ErrKeys", err)
	}
}

// serve starts an issuer that answers with a text, which tests change.
func serve(t *testing.T, text string) (*httptest.Server, *atomic.Pointer[string]) {
	t.Helper()
	var now atomic.Pointer[string]
	now.Store(&text)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, *now.Load()) }))
	t.Cleanup(s.Close)
	return s, &now
}

// member returns a key as a member of a set, with other members beside its own.
func member(t *testing.T, id string, public any, others ...string) string {
	t.Helper()
	all := set(t, map[string]any{id: public})
	text, err := json.Marshal(all.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "}") + strings.Join(append([]string{""}, others...), ",") + "}"
}

// A key that can not be used is ignored, and said so; the others are used (RFC 7517
// section 5).
func TestOneKeyDoesNotSpoilTheSet(t *testing.T) {
	t.Parallel()
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	for name, bad := range map[string]string{
		"a point that is not on the curve": `{"kty":"EC","crv":"P-256","x":"AAAA","kid":"z"}`,
		"a point of zeros":                 `{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"z"}`,
		"an unknown curve":                 `{"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA","kid":"z"}`,
		"an unknown kind":                  `{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA","kid":"z"}`,
		"an unknown algorithm":             member(t, "z", rsaKey.Public(), `"alg":"RS1024"`),
		"for encryption by its algorithm":  member(t, "z", rsaKey.Public(), `"alg":"RSA-OAEP-256"`),
		"for encryption by its use":        member(t, "z", rsaKey.Public(), `"use":"enc"`),
		"not for verifying":                member(t, "z", rsaKey.Public(), `"key_ops":["encrypt"]`),
		"a secret":                         `{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","kid":"z"}`,
		"a small RSA key":                  member(t, "z", &small.PublicKey),
		"a huge RSA key":                   `{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 10000) + `","kid":"z"}`,
		"a member of another type":         `{"kty":7,"kid":"z"}`,
		"not an object":                    `"z"`,
		"null":                             `null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := serve(t, `{"keys":[`+bad+`,`+member(t, "a", rsaKey.Public())+`,`+bad+`]}`)
			v, said := verifier(t, Config{JWKS: s.URL}), make(chan error, 8)
			v.Start(t.Context(), func(err error) { said <- err })
			if _, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good())); err != nil {
				t.Errorf("the good key: %v", err)
			}
			if _, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("z"), good())); err == nil || errors.Is(err, ErrKeys) {
				t.Errorf("the bad key: %v, want an ordinary error", err)
			}
			if err := <-said; !errors.Is(err, ErrIgnored) || len(said) > 0 {
				t.Errorf("reported %v and %d more, want once that keys are ignored", err, len(said))
			}
		})
	}
}

// What is beside a key and is not about its use can not spoil it.
func TestKeyWithOtherMembers(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]string{
		"x5t as Auth0 writes it":   `"x5t":"QjBCOTYzQzU4RkZBRjk3RjU1Qzc2MzVGNEE5RDdEOUZFQjg1N0M3QQ"`,
		"x5c that is no chain":     `"x5c":["AAAA"]`,
		"x5c of another type":      `"x5c":"AAAA"`,
		"an address":               `"x5u":"http://127.0.0.1/"`,
		"half of a private key":    `"d":"!"`,
		"an extension":             `"x-of-ours":{"a":[1]}`,
		"an algorithm of its kind": `"alg":"RS256"`,
		"operations":               `"key_ops":["verify"]`,
	} {
		s, _ := serve(t, `{"keys":[`+member(t, "a", rsaKey.Public(), other)+`],"more":1}`)
		v := verifier(t, Config{JWKS: s.URL})
		v.Start(t.Context(), func(err error) { t.Errorf("%s: %v", name, err) })
		if _, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good())); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key's algorithm narrows down what it is used for, and two keys may have one name.
func TestKeysOfOneName(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, `{"keys":[`+member(t, "a", rsaKey.Public(), `"alg":"RS256"`)+`,`+member(t, "a", ecKey.Public())+`,`+member(t, "", edKey.Public())+`]}`)
	v := verifier(t, Config{JWKS: s.URL})
	v.Start(t.Context(), func(err error) { t.Error(err) })
	for name, tc := range map[string]struct {
		token string
		good  bool
	}{
		"RSA":               {sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good()), true},
		"another algorithm": {sign(t, jwt.SigningMethodRS384, rsaKey, kid("a"), good()), false},
		"ECDSA":             {sign(t, jwt.SigningMethodES256, ecKey, kid("a"), good()), true},
		"no name":           {sign(t, jwt.SigningMethodEdDSA, edKey, nil, good()), true},
		"no name, RSA":      {sign(t, jwt.SigningMethodRS256, rsaKey, nil, good()), false},
		"an empty name":     {sign(t, jwt.SigningMethodEdDSA, edKey, kid(""), good()), false},
	} {
		if _, err := v.Verify(t.Context(), tc.token); (err == nil) != tc.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer without a key that can be used is a fetch that failed: the keys stay.
func TestAnswerWithoutKeys(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		`{}`, `null`, `{"keys":null}`, `{"keys":[]}`, `{"keys":{}}`, `[]`, `"x"`, ``, `<html>`,
		`{"error":"invalid_client","error_description":"?"}`, `{"keys":[{"kty":"oct","k":"AAAA","kid":"old"}]}`,
		`{"keys":[` + member(t, "other", rsaKey.Public()) + `]} and more`, strings.Repeat(" ", maxKeySet) + `{"keys":[]}`,
	} {
		t.Run(fmt.Sprintf("%.40s", answer), func(t *testing.T) {
			t.Parallel()
			s, now := serve(t, `{"keys":[`+member(t, "old", rsaKey.Public())+`]}`)
			v, said := verifier(t, Config{JWKS: s.URL}), make(chan error, 8)
			v.Start(t.Context(), func(err error) { said <- err })
			old := sign(t, jwt.SigningMethodRS256, rsaKey, kid("old"), good())
			if _, err := v.Verify(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			now.Store(&answer)
			if _, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("other"), good())); !errors.Is(err, ErrKeys) {
				t.Errorf("an unknown key: %v, want ErrKeys", err)
			}
			if err := <-said; err == nil {
				t.Error("the fetch did not fail")
			}
			if _, err := v.Verify(t.Context(), old); err != nil {
				t.Errorf("the key from before: %v", err)
			}
		})
	}
}

// Tokens with a new key that come while it is fetched wait for it.
func TestManyAtARotation(t *testing.T) {
	t.Parallel()
	i, v := rotated(t)
	token := sign(t, jwt.SigningMethodES256, ecKey, kid("new"), good())
	errs := make(chan error)
	for range 10 {
		go func() {
			_, err := v.Verify(context.Background(), token)
			errs <- err
		}()
	}
	for range 10 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := i.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}

// A redirect from https to http would let others on the way choose the keys.
func TestKeySetRedirectToAnotherScheme(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{"https://a.example/keys": "http://a.example/keys", "http://localhost/keys": "https://localhost/keys"} {
		u, err := url.Parse(from)
		if err != nil {
			t.Fatal(err)
		}
		check := fetcher(u).CheckRedirect
		for address, ok := range map[string]bool{to: false, from + "/2": true, "https://b.example/keys": false} {
			if err := check(httptest.NewRequest(http.MethodGet, address, nil), nil); (err == nil) != ok {
				t.Errorf("from %s to %s: %v", from, address, err)
			}
		}
	}
}

func TestKeySetRedirect(t *testing.T) {
	t.Parallel()
	other := newIssuer(t, map[string]any{"a": rsaKey.Public()})
	redirect := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	t.Cleanup(redirect.Close)
	v := verifier(t, Config{JWKS: redirect.URL})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	failed := make(chan error, 1)
	v.Start(ctx, func(err error) { failed <- err })
	if err := <-failed; err == nil || other.fetches.Load() > 0 {
		t.Errorf("followed a redirect to another host: %v, %d fetches", err, other.fetches.Load())
	}
}

// A key that the issuer has for encryption signs nothing.
func TestKeyForEncryption(t *testing.T) {
	t.Parallel()
	for use, ok := range map[jwkset.USE]bool{jwkset.UseEnc: false, jwkset.UseSig: true} {
		jwk, err := jwkset.NewJWKFromKey(rsaKey.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "a", USE: use}})
		if err != nil {
			t.Fatal(err)
		}
		served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{jwk.Marshal()}})
		}))
		t.Cleanup(served.Close)
		_, err = started(t, &issuer{Server: served}).Verify(context.Background(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("a"), good()))
		if (err == nil) != ok {
			t.Errorf("a key for %q: %v", use, err)
		}
	}
}

// A token without a name finds the keys when the issuer is back, too, and not only at the
// next of the fetches that are ten minutes apart.
func TestTokenWithoutNameAfterTheIssuerWasAway(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, map[string]any{"": edKey.Public()})
	i.status.Store(http.StatusInternalServerError)
	v := started(t, i)
	<-v.set.ready
	i.status.Store(http.StatusOK)
	if _, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodEdDSA, edKey, nil, good())); err != nil {
		t.Error(err)
	}
}

// A token is tried with each key of its name, so that their number is bounded.
func TestManyKeysOfOneName(t *testing.T) {
	t.Parallel()
	one := member(t, "", ecKey.Public())
	text := `{"keys":[` + strings.Repeat(one+",", 5000) + member(t, "", edKey.Public()) + `]}`
	keys, ignored, err := parseSet([]byte(text))
	if err != nil || len(keys[""]) != MaxKeys || !errors.Is(ignored, ErrIgnored) {
		t.Errorf("%d keys, %v, %v; want %d keys and the others ignored", len(keys[""]), ignored, err, MaxKeys)
	}
	_, _, err = parseSet([]byte(`{"keys":[` + strings.Repeat("0,", 5000) + `0]}`))
	if n := strings.Count(fmt.Sprint(err), "key "); err == nil || n > maxReasons+2 {
		t.Errorf("%d reasons, %v; want %d at most", n, err, maxReasons)
	}
}
