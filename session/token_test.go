package session

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// leeway is the default of a verifier.
const leeway = 30 * time.Second

// claims are those of a token for a user that is good for an hour, and others
// beside them.
func claims(user string, others ...map[string]any) map[string]any {
	c := map[string]any{"sub": user, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	for _, other := range others {
		for name, value := range other {
			c[name] = value
		}
	}
	return c
}

// token signs claims with HS256.
func token(t testing.TB, c map[string]any) string {
	t.Helper()
	body, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func verifier(t testing.TB, c auth.Config) *auth.Verifier {
	t.Helper()
	v, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const site = "site" // the realm of the tests

// withRealm puts a realm in force whose tokens are signed with the secret.
func (w *world) withRealm(r Realm) {
	w.t.Helper()
	if r.Tokens == nil {
		r.Tokens = verifier(w.t, auth.Config{Keys: auth.Keys{Secrets: [][]byte{secret}}})
	}
	c := w.config
	c.Realms = map[string]Realm{site: r}
	w.apply(c)
}

// inRealm runs a test with tokens.
func inRealm(t *testing.T, r Realm, rooms []policy.Room, test func(t *testing.T, w *world)) {
	t.Helper()
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		withMembers(t, w)
		w.withRealm(r)
		test(t, w)
	})
}

// arrive opens a session of the realm and reads its `connected`.
func (w *world) arrive(p *Principal) *client {
	w.t.Helper()
	own := *p
	p = &own
	p.Realm, p.Handshake = cmp.Or(p.Realm, site), cmp.Or(p.Handshake, "kept")
	c, e := w.dial(p)
	if e != nil {
		w.t.Fatal(e)
	}
	settle()
	c.wire.take()
	return c
}

// tokenPeer is who arrives with a token that the handshake has verified.
func (w *world) tokenPeer(c map[string]any) *Principal {
	w.t.Helper()
	id, err := w.config.Realms[site].Tokens.Verify(w.t.Context(), token(w.t, c))
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := new(Principal).As(id, time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func authenticateWith(token string) string {
	return `{"type":"authenticate","id":9,"payload":{"token":"` + token + `"}}`
}

// authenticated is the reply for a token.
func authenticated(c map[string]any) string {
	payload := map[string]any{"expires": time.Unix(c["exp"].(int64), 0).Add(leeway).UnixMilli()}
	if c["sub"] != "" {
		payload["user"] = c["sub"]
	}
	b, _ := json.Marshal(map[string]any{"type": "authenticated", "id": 9, "payload": payload})
	return string(b)
}

// A client that guesses tokens commits offences. One whose token can not be checked does not.
func TestTokenOffences(t *testing.T) {
	t.Parallel()
	for code, want := range map[protocol.Code]bool{
		protocol.Unauthorized: true, protocol.TokenExpired: true, protocol.Forbidden: true,
		protocol.Unavailable: false, protocol.Internal: false, protocol.RateLimited: false,
	} {
		if IsTokenOffence(code) != want {
			t.Errorf("%s: %v", code, !want)
		}
	}
}
