package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

var (
	rsaKey, _   = rsa.GenerateKey(rand.Reader, 2048)
	ecKey, _    = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, _ = ed25519.GenerateKey(rand.Reader)
)

func sign(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, c jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func in(d time.Duration) int64 { return time.Now().Add(d).Unix() }

func good() jwt.MapClaims {
	return jwt.MapClaims{"sub": "ann", "exp": in(time.Hour), "iss": "me", "aud": "rt"}
}

func with(name string, value any) jwt.MapClaims {
	c := good()
	if c[name] = value; value == nil {
		delete(c, name)
	}
	return c
}

func publicPEM(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func verifier(t testing.TB, c Config) *Verifier {
	t.Helper()
	v, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerify(t *testing.T) {
	t.Parallel()
	shared := verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret}}, Issuer: "me", Audience: "rt"})
	public := verifier(t, Config{Keys: Keys{Public: []crypto.PublicKey{&rsaKey.PublicKey}}})
	hs := func(c jwt.MapClaims) string { return sign(t, jwt.SigningMethodHS256, secret, nil, c) }
	cut := hs(good())
	cases := map[string]struct {
		v     *Verifier
		token string
		want  error // nil: accepted; errBad: any error that is not a special one
	}{
		"good":                         {shared, hs(good()), nil},
		"HS512":                        {shared, sign(t, jwt.SigningMethodHS512, secret, nil, good()), nil},
		"RS256":                        {public, sign(t, jwt.SigningMethodRS256, rsaKey, nil, good()), nil},
		"expired":                      {shared, hs(with("exp", in(-time.Hour))), ErrExpired},
		"expired within the leeway":    {shared, hs(with("exp", in(-10*time.Second))), nil},
		"expired and of another":       {shared, hs(jwt.MapClaims{"exp": in(-time.Hour), "iss": "you", "aud": "rt"}), errBad},
		"without exp":                  {shared, hs(with("exp", nil)), errBad},
		"exp in milliseconds":          {shared, hs(with("exp", time.Now().Add(time.Hour).UnixMilli())), errBad},
		"exp in the year 5138":         {shared, hs(with("exp", 99_999_999_999)), nil},
		"from the future (nbf)":        {shared, hs(with("nbf", in(time.Hour))), errBad},
		"from the future (iat)":        {shared, hs(with("iat", in(time.Hour))), errBad},
		"wrong issuer":                 {shared, hs(with("iss", "you")), errBad},
		"no issuer":                    {shared, hs(with("iss", nil)), errBad},
		"wrong audience":               {shared, hs(with("aud", []string{"x", "y"})), errBad},
		"other secret":                 {shared, sign(t, jwt.SigningMethodHS256, []byte("another"), nil, good()), errBad},
		"alg none":                     {shared, sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, good()), errBad},
		"alg none, public key":         {public, sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, good()), errBad},
		"HMAC with the public key":     {public, sign(t, jwt.SigningMethodHS256, publicPEM(t, &rsaKey.PublicKey), nil, good()), errBad},
		"ECDSA for an RSA key":         {public, sign(t, jwt.SigningMethodES256, ecKey, nil, good()), errBad},
		"own key in the header (jwk)":  {public, sign(t, jwt.SigningMethodES256, ecKey, map[string]any{"jwk": map[string]any{"kty": "EC"}}, good()), errBad},
		"key by address (jku)":         {public, sign(t, jwt.SigningMethodES256, ecKey, map[string]any{"jku": "http://127.0.0.1/"}, good()), errBad},
		"cut signature":                {shared, cut[:len(cut)-3], errBad},
		"no signature":                 {shared, cut[:strings.LastIndexByte(cut, '.')+1], errBad},
		"changed claims":               {shared, forged(cut), errBad},
		"empty":                        {shared, "", errBad},
		"not a token":                  {shared, "a.b.c", errBad},
		"too long":                     {shared, hs(with("sub", strings.Repeat("x", maxToken))), errBad},
		"info is not an object":        {shared, hs(with("info", "name")), errBad},
		"channels are not a list":      {shared, hs(with("channels", "chat:*")), errBad},
		"subject too long":             {shared, hs(with("sub", strings.Repeat("x", 256))), errBad},
		"subject with space around it": {shared, hs(with("sub", " ann")), errBad},
		"subject that is no segment":   {shared, hs(with("sub", "..")), errBad},
		"subject is one point":         {shared, hs(with("sub", ".")), errBad},
		"subject of three points":      {shared, hs(with("sub", "...")), nil},
		"subject with a line break":    {shared, hs(with("sub", "ann\n")), errBad},
		"claims are not of their type": {shared, hs(with("sub", 7)), errBad},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tc.v.Verify(context.Background(), tc.token)
			switch {
			case tc.want == errBad:
				if err == nil || errors.Is(err, ErrExpired) || errors.Is(err, ErrKeys) {
					t.Errorf("got %v, want an ordinary error", err)
				}
			case !errors.Is(err, tc.want):
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if err != nil && len(tc.token) > 20 && strings.Contains(err.Error(), tc.token[10:20]) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

var errBad = errors.New("bad")

// forged is a token whose claims were changed after signing.
func forged(token string) string {
	parts := strings.Split(token, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"root","exp":99999999999,"iss":"me","aud":"rt"}`))
	return strings.Join(parts, ".")
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	c := good()
	c["jti"], c["iat"], c["team"], c["level"], c["staff"] = "t1", in(-time.Minute), "blue", 7, true
	c["big"] = json.Number("9007199254740993") // a float64 has no such number
	c["info"] = map[string]any{"name": "Ann"}
	c["channels"] = []map[string]any{{"pattern": "chat:*", "allow": []string{"subscribe"}}}
	id, err := verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret}}}).Verify(context.Background(), sign(t, jwt.SigningMethodHS256, secret, nil, c))
	if err != nil {
		t.Fatal(err)
	}
	if id.User != "ann" || id.ID != "t1" || string(id.Info) != `{"name":"Ann"}` || id.Issued.IsZero() || id.Expires.IsZero() {
		t.Errorf("identity %+v", id)
	}
	if len(id.Grants) != 1 || id.Grants[0].Pattern != "chat:*" || id.Grants[0].Allow[0] != "subscribe" {
		t.Errorf("grants %+v", id.Grants)
	}
	for name, want := range map[string]string{"team": "blue", "level": "7", "staff": "true", "big": "9007199254740993", "sub": "ann"} {
		if id.Claims[name] != want {
			t.Errorf("claim %s is %q, want %q", name, id.Claims[name], want)
		}
	}
	if _, there := id.Claims["info"]; there {
		t.Error("an object became a claim for patterns")
	}
}

// The names of claims are compared exactly: what an issuer lets its users call a claim
// must not be taken for another one.
func TestClaimsInOtherLetters(t *testing.T) {
	t.Parallel()
	c := good()
	c["SUB"], c["Exp"], c["Info"] = "eve", in(time.Hour*24*365), map[string]any{"name": "Eve"}
	c["Channels"] = []map[string]any{{"pattern": "*", "allow": []string{"subscribe"}}}
	id, err := verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret}}}).Verify(context.Background(), sign(t, jwt.SigningMethodHS256, secret, nil, c))
	if err != nil {
		t.Fatal(err)
	}
	if id.User != "ann" || time.Until(id.Expires) > 2*time.Hour || id.Info != nil || id.Grants != nil || id.Claims["SUB"] != "eve" {
		t.Errorf("identity %+v", id)
	}
}

// No more than so many wait for keys, and the others are told that it takes time.
func TestVerifyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := verifier(t, Config{JWKS: "https://example.com/keys"}) // never started
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		results := make(chan error, maxVerifying+1)
		for range maxVerifying + 1 {
			go func() {
				_, err := v.Verify(ctx, "a.b.c")
				results <- err
			}()
		}
		var busy int
		for range maxVerifying + 1 {
			if err := <-results; errors.Is(err, ErrBusy) {
				busy++
			} else if !errors.Is(err, ErrKeys) {
				t.Error(err)
			}
		}
		if busy > 1 {
			t.Errorf("%d did not get a turn", busy)
		}
		if _, err := v.Verify(ctx, "a.b.c"); err == nil {
			t.Error("accepted")
		}
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	cases := map[string]Config{
		"nothing":           {},
		"two kinds of keys": {Keys: Keys{Secrets: [][]byte{secret}, Public: []crypto.PublicKey{&rsaKey.PublicKey}}},
		"one short secret":  {Keys: Keys{Secrets: [][]byte{secret, []byte("secret")}}},
		"too many secrets":  {Keys: Keys{Secrets: slices.Repeat([][]byte{secret}, MaxKeys+1)}},
		"two kinds":         {Keys: Keys{Secrets: [][]byte{secret}}, JWKS: "https://example.com/"},
		"short secret":      {Keys: Keys{Secrets: [][]byte{[]byte("secret")}}},
		"small RSA key":     {Keys: Keys{Public: []crypto.PublicKey{&small.PublicKey}}},
		"private key":       {Keys: Keys{Public: []crypto.PublicKey{edKey}}},
		"plain http":        {JWKS: "http://example.com/keys"},
		"no host":           {JWKS: "/keys"},
		"other URL schemes": {JWKS: "file:///etc/keys"},
	}
	for name, c := range cases {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]crypto.PublicKey{"rsa": &rsaKey.PublicKey, "ec": &ecKey.PublicKey, "ed": edKey.Public()} {
		got, err := ParsePublicKey(publicPEM(t, key))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, err := algorithmsOf(got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	private, err := x509.MarshalPKCS8PrivateKey(edKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"not PEM":     []byte("hello"),
		"private key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	v, err := New(Config{Keys: Keys{Secrets: [][]byte{secret}}})
	if err != nil {
		f.Fatal(err)
	}
	// The same one in every process that takes part.
	claims := good()
	claims["exp"] = 4102444800 // 2100
	signed := sign(f, jwt.SigningMethodHS256, secret, nil, claims)
	f.Add(signed)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := v.Verify(context.Background(), token); err == nil && token != signed {
			t.Errorf("accepted %q", token)
		}
	})
}
