package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
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
	i := newIssuer(t, map[string]any{"old": rsaKey.Public()})
	v := started(t, i)
	if _, err := v.Verify(context.Background(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("old"), good())); err != nil {
		t.Fatal(err)
	}
	i.keys.Store(&map[string]any{"new": ecKey.Public()})
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

// The one fetch that an unknown key makes in a while is not lost with a client that
// leaves.
func TestKeyRotationWithoutTheClient(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, map[string]any{"old": rsaKey.Public()})
	v := started(t, i)
	if _, err := v.Verify(context.Background(), sign(t, jwt.SigningMethodRS256, rsaKey, kid("old"), good())); err != nil {
		t.Fatal(err)
	}
	i.keys.Store(&map[string]any{"new": ecKey.Public()})
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
