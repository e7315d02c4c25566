package auth

import (
	"context"
	"crypto"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The operator reads these in the log and from `explain`: they say what to change, in the words of
// the token and of the configuration.
func TestProblemsOfATokenSayWhatToChange(t *testing.T) {
	t.Parallel()
	shared := verifier(t, Config{Keys: Keys{Secrets: [][]byte{secret}}, Issuer: "me", Audience: "rt"})
	public := verifier(t, Config{Keys: Keys{Public: []crypto.PublicKey{&rsaKey.PublicKey}}})
	hs := func(c jwt.MapClaims) string { return sign(t, jwt.SigningMethodHS256, secret, nil, c) }
	both := with("iss", "you")
	both["aud"], both["exp"] = "x", in(-time.Hour)
	bare := with("iss", nil)
	delete(bare, "aud")
	delete(bare, "exp")
	cases := map[string]struct {
		v     *Verifier
		token string
		want  string
	}{
		"audience":      {shared, hs(with("aud", []string{"x", "y"})), `auth: the claim aud is ["x" "y"]; the option audience wants "rt"`},
		"issuer":        {shared, hs(with("iss", "you")), `auth: the claim iss is "you"; the option issuer wants "me"`},
		"several":       {shared, hs(both), `auth: the token has expired; the claim iss is "you"; the option issuer wants "me"; the claim aud is ["x"]; the option audience wants "rt"`},
		"no exp":        {shared, hs(with("exp", nil)), `auth: the token lacks a required claim: exp`},
		"no claims":     {shared, hs(bare), `auth: the token lacks a required claim: exp, iss, aud`},
		"nbf":           {shared, hs(with("nbf", in(time.Hour))), `auth: the claim nbf is in the future, or a clock is wrong`},
		"iat":           {shared, hs(with("iat", in(time.Hour))), `auth: the claim iat is in the future, or a clock is wrong`},
		"sub":           {shared, hs(with("sub", 42)), `auth: the claim sub has a JSON number where a JSON string must be`},
		"channels":      {shared, hs(with("channels", "chat:*")), `auth: the claim channels has a JSON string where a JSON array must be`},
		"a grant":       {shared, hs(with("channels", []any{"chat:*"})), `auth: the claim channels has a JSON string where a JSON object must be`},
		"a pattern":     {shared, hs(with("channels", []any{map[string]any{"pattern": 1}})), `auth: the claim channels.pattern has a JSON number where a JSON string must be`},
		"algorithm":     {shared, sign(t, jwt.SigningMethodRS256, rsaKey, nil, good()), `auth: the algorithm of the token is "RS256"; the configured keys take only HS256, HS384, HS512`},
		"public key":    {public, hs(good()), `auth: the algorithm of the token is "HS256"; the configured keys take only RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`},
		"other secret":  {shared, sign(t, jwt.SigningMethodHS256, []byte("another"), nil, with("aud", "x")), `auth: the signature of the token does not fit any configured key`},
		"not readable":  {shared, "a.b.c", `auth: the token's header: illegal base64 data at input byte 0`},
		"sub is a list": {shared, hs(with("sub", []string{"ann"})), `auth: the claim sub has a JSON array where a JSON string must be`},
	}
	for name, c := range cases {
		if _, err := c.v.Verify(context.Background(), c.token); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}
