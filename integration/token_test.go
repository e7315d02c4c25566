package integration

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
)

const tokenSecret = "a secret of thirty-two bytes or so"

// tokenSite recognizes tokens at two paths, with a secret and with a public key.
const tokenSite = `
http://{{site}} {
	realtime {
		user {http.request.header.X-User}
		token {
			hmac {env.REALTIME_TEST_SECRET}
			issuer https://issuer.example
			from header cookie:rt query:token subprotocol message
		}
		room granted:* {
			subscribe granted
			publish granted
			history 10
		}
		room team:{claim.team} {
			subscribe anyone
		}
		room inbox:{user} {
			publish users
			presence
		}
	}
	realtime /strict {
		token {
			public_key {env.REALTIME_TEST_PUBLIC_KEY}
			from header
			required
		}
	}
	realtime /late {
		token {
			hmac {env.REALTIME_TEST_SECRET}
			required
			deadline 2s
		}
	}
}
`

// issuer signs tokens.
type issuer struct {
	t   *testing.T
	key *rsa.PrivateKey
	pem []byte // of the public key
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t, key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
	file := filepath.Join(t.TempDir(), "key.pem")
	write(t, file, string(i.pem))
	t.Setenv("REALTIME_TEST_PUBLIC_KEY", file)
	t.Setenv("REALTIME_TEST_SECRET", tokenSecret)
	return i
}

// claims are good ones of a user, with others in pairs that replace or add to them.
func claims(user string, others ...any) jwt.MapClaims {
	c := jwt.MapClaims{"sub": user, "iss": "https://issuer.example", "exp": time.Now().Add(time.Hour).Unix()}
	for i := 0; i+1 < len(others); i += 2 {
		c[others[i].(string)] = others[i+1]
	}
	return c
}

func (i *issuer) sign(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	i.t.Helper()
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = "one"
	text, err := token.SignedString(key)
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func (i *issuer) hmac(c jwt.MapClaims) string {
	return i.sign(jwt.SigningMethodHS256, []byte(tokenSecret), c)
}

// connect tries to connect, with headers in pairs, and gives the first frame or the
// refusal.
func connect(t *testing.T, url string, headers ...string) (ws *websocket.Conn, answer *http.Response, first string) {
	t.Helper()
	h := make(http.Header)
	for i := 0; i+1 < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	ws, answer, err := websocket.DefaultDialer.Dial(url, h)
	if err != nil {
		if answer == nil {
			t.Fatal(err)
		}
		text := make([]byte, 1<<10) // gorilla keeps as much of the answer
		n, _ := answer.Body.Read(text)
		return nil, answer, string(text[:n])
	}
	t.Cleanup(func() { _ = ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second)) // for the whole conversation
	_, frame, err := ws.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return ws, answer, string(frame)
}

func TestTokens(t *testing.T) {
	i := newIssuer(t)
	c := Start(t, tokenSite)
	good := i.hmac(claims("ann"))
	expired := i.hmac(claims("ann", "exp", time.Now().Add(-time.Hour).Unix()))
	signed := i.sign(jwt.SigningMethodRS256, i.key, claims("ann"))
	const open, strict = "/realtime", "/strict"
	const known, refused = `"user":"ann"`, `"code":"UNAUTHORIZED"`
	for _, test := range []struct {
		name, path string
		headers    []string
		want       string
	}{
		{"none", open, nil, `"type":"connected"`},
		{"header", open, []string{"Authorization", "Bearer " + good}, known},
		{"cookie", open, []string{"Cookie", "other=1; rt=" + good}, known},
		{"query", open + "?token=" + good, nil, known},
		{"subprotocol", open, []string{"Sec-WebSocket-Protocol", "realtime.v1, realtime.token." + good}, known},
		{"the token before the user", open, []string{"X-User", "bob", "Cookie", "rt=" + good}, known},
		{"the user without a token", open, []string{"X-User", "bob"}, `"user":"bob"`},
		{"the first source", open + "?token=not-a-token", []string{"Authorization", "Bearer " + good}, known},
		{"a bad token beside a user", open, []string{"X-User", "bob", "Cookie", "rt=not-a-token"}, refused},
		{"bad header", open, []string{"Authorization", "Bearer not-a-token"}, refused},
		{"bad subprotocol", open, []string{"Sec-WebSocket-Protocol", "realtime.v1, realtime.token.not-a-token"}, refused},
		{"expired", open, []string{"Authorization", "Bearer " + expired}, `"code":"TOKEN_EXPIRED"`},
		{"wrong issuer", open + "?token=" + i.hmac(claims("ann", "iss", "https://evil.example")), nil, refused},
		{"expired, of a wrong issuer", open + "?token=" + i.hmac(claims("ann", "iss", "x", "exp", 1)), nil, refused},
		{"not yet valid", open + "?token=" + i.hmac(claims("ann", "nbf", time.Now().Add(time.Hour).Unix())), nil, refused},
		{"without expiry", open + "?token=" + i.hmac(claims("ann", "exp", nil)), nil, refused},
		{"an unusable user", open + "?token=" + i.hmac(claims("a\nb")), nil, refused},
		{"a grant that means nothing", open + "?token=" + i.hmac(claims("ann", "channels", []any{map[string]any{"pattern": "x", "allow": []string{"all"}}})), nil, refused},
		{"another secret", open + "?token=" + i.sign(jwt.SigningMethodHS256, []byte("another secret of thirty-two bytes"), claims("ann")), nil, refused},
		{"alg none", open + "?token=" + i.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims("ann")), nil, refused},
		{"alg none for a public key", strict, []string{"Authorization", "Bearer " + i.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims("ann"))}, refused},
		{"a public key for a secret", strict, []string{"Authorization", "Bearer " + i.sign(jwt.SigningMethodHS256, i.pem, claims("ann"))}, refused},
		{"a signature for a secret", open, []string{"Authorization", "Bearer " + signed}, refused},
		{"public key", strict, []string{"Authorization", "Bearer " + signed}, known},
		{"a source that is not listed", strict + "?token=" + signed, nil, refused},
		{"required", strict, nil, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, answer, first := connect(t, "ws://"+c.Addr("site")+test.path, test.headers...)
			if !strings.Contains(first, test.want) || strings.Contains(test.want, "code") != (answer.StatusCode == 401) {
				t.Errorf("%s: %s", answer.Status, first)
			}
			if p := answer.Header.Values("Sec-WebSocket-Protocol"); strings.Contains(strings.Join(p, ","), "token") {
				t.Errorf("the token is answered: %q", p)
			}
			if strings.Contains(first, "not-a-token") || strings.Contains(first, tokenSecret) {
				t.Errorf("the answer shows too much: %s", first)
			}
		})
	}
	log := caddyLog.take()
	for _, secret := range []string{good, signed, tokenSecret} {
		if strings.Contains(log, secret) {
			t.Errorf("the log shows %s", secret)
		}
	}
	if res, text := request(t, "GET", "http://"+c.Addr("site")+"/strict/channels", ""); res.StatusCode != 401 {
		t.Errorf("the API where a token is required: %d %s", res.StatusCode, text)
	}
}

// TestAuthenticate signs in on a connection, and again with the keys of a later
// configuration.
func TestAuthenticate(t *testing.T) {
	i := newIssuer(t)
	c := Start(t, tokenSite)
	ws, _, _ := connect(t, "ws://"+c.Addr("site")+"/realtime")
	authenticate := func(token string) {
		send(t, ws, `{"type":"authenticate","id":1,"payload":{"token":"`+token+`"}}`)
	}
	authenticate("bad")
	expect(t, ws, `"code":"UNAUTHORIZED"`)
	authenticate(i.hmac(claims("ann", "info", map[string]any{"name": "Ann"})))
	expect(t, ws, `"user":"ann"`)
	send(t, ws, `{"type":"subscribe","payload":{"channel":"inbox:ann"}}`)
	expect(t, ws, `"info":{"ann":{"name":"Ann"}}`)

	t.Setenv("REALTIME_TEST_SECRET", "the next secret, which is as long")
	c.Reload(strings.Replace(tokenSite, "history 10", "history 11", 1))
	authenticate(i.hmac(claims("ann")))
	expect(t, ws, `"code":"UNAUTHORIZED"`)
	authenticate(i.sign(jwt.SigningMethodHS256, []byte("the next secret, which is as long"), claims("ann")))
	expect(t, ws, `"type":"authenticated"`)

	c.Reload(strings.ReplaceAll(tokenSite, " message\n", "\n"))
	authenticate(i.sign(jwt.SigningMethodHS256, []byte("the next secret, which is as long"), claims("ann")))
	expect(t, ws, `"code":"UNAUTHORIZED"`)
}

func TestTokenDeadline(t *testing.T) {
	i := newIssuer(t)
	c := Start(t, tokenSite)
	in, _, _ := connect(t, "ws://"+c.Addr("site")+"/late")
	send(t, in, `{"type":"authenticate","id":1,"payload":{"token":"`+i.hmac(claims("ann"))+`"}}`)
	expect(t, in, `"type":"authenticated"`)
	out, _, _ := connect(t, "ws://"+c.Addr("site")+"/late")
	send(t, out, `{"type":"subscribe","id":1,"payload":{"channel":"team:1"}}`)
	expect(t, out, `"code":"UNAUTHORIZED"`)
	if _, _, err := out.ReadMessage(); !websocket.IsCloseError(err, 4401) {
		t.Errorf("the connection ended with %v", err)
	}
	send(t, in, `{"type":"ping","id":2}`)
	expect(t, in, `"type":"pong"`)
}

// TestGrants opens rooms by what a token says.
func TestGrants(t *testing.T) {
	i := newIssuer(t)
	c := Start(t, tokenSite)
	token := i.hmac(claims("ann", "team", "blue", "channels", []any{
		map[string]any{"pattern": "granted:*", "allow": []string{"subscribe", "publish"}},
		map[string]any{"pattern": "granted:old", "allow": []string{"history"}},
	}))
	ws, _, _ := connect(t, "ws://"+c.Addr("site")+"/realtime", "Authorization", "Bearer "+token)
	for _, test := range []struct{ command, want string }{
		{`{"type":"subscribe","id":1,"payload":{"channel":"granted:1"}}`, `"type":"subscribed"`},
		{`{"type":"message","id":2,"payload":{"channel":"granted:1","content":"hi"}}`, `"type":"ack"`},
		{`{"type":"history","id":3,"payload":{"channel":"granted:1"}}`, `"code":"FORBIDDEN"`},
		{`{"type":"history","id":4,"payload":{"channel":"granted:old"}}`, `"type":"history"`},
		{`{"type":"subscribe","id":5,"payload":{"channel":"team:blue"}}`, `"type":"subscribed"`},
		{`{"type":"subscribe","id":6,"payload":{"channel":"team:red"}}`, `"code":"FORBIDDEN"`},
	} {
		send(t, ws, test.command)
		expect(t, ws, test.want)
	}
	ws, _, _ = connect(t, "ws://"+c.Addr("site")+"/realtime?token="+i.hmac(claims("ann")))
	send(t, ws, `{"type":"subscribe","id":1,"payload":{"channel":"granted:1"}}`)
	expect(t, ws, `"code":"FORBIDDEN"`)

	base := "http://" + c.Addr("site") + "/realtime"
	for authorization, status := range map[string]int{"Bearer " + token: 200, "Bearer bad": 401, "": 401} {
		res, text := request(t, "POST", base+"/channels/granted:1/messages", `{"content": 1}`, "Authorization", authorization)
		if res.StatusCode != status {
			t.Errorf("publishing with %q: %d %s", authorization, res.StatusCode, text)
		}
	}
	expectLine(t, stream(t, base+"?channel=granted:1&token="+token), `"type":"subscribed"`)
}

// TestKeySet fetches the keys of an issuer, also for the configuration after a
// reload.
func TestKeySet(t *testing.T) {
	i := newIssuer(t)
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(i.key.E)).Bytes())
		n := base64.RawURLEncoding.EncodeToString(i.key.N.Bytes())
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{
			map[string]string{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", "n": n, "e": e},
		}})
	}))
	t.Cleanup(keys.Close)
	t.Setenv("REALTIME_TEST_KEYS", keys.URL)
	site := `
		http://{{site}} {
			realtime {
				token {
					jwks {env.REALTIME_TEST_KEYS}/keys
				}
			}
			respond %d
		}
	`
	token := i.sign(jwt.SigningMethodRS256, i.key, claims("ann"))
	c := Start(t, fmt.Sprintf(site, 1))
	for n := range 3 {
		if _, _, first := connect(t, "ws://"+c.Addr("site")+"/realtime", "Authorization", "Bearer "+token); !strings.Contains(first, `"user":"ann"`) {
			t.Errorf("after %d reloads: %s", n, first)
		}
		c.Reload(fmt.Sprintf(site, n+2))
	}
	keys.Close()
	c.Reload(fmt.Sprintf(site, 9))
	if _, answer, first := connect(t, "ws://"+c.Addr("site")+"/realtime", "Authorization", "Bearer "+token); !strings.Contains(first, `"user":"ann"`) {
		t.Errorf("after a reload without the issuer: %s %s", answer.Status, first)
	}
	c.Reload(strings.Replace(fmt.Sprintf(site, 9), "/keys", "/others", 1))
	_, answer, first := connect(t, "ws://"+c.Addr("site")+"/realtime", "Authorization", "Bearer "+token)
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("without keys: %s %s", answer.Status, first)
	}
}

// TestTokenConfiguration is about what only shows when a configuration is loaded.
func TestTokenConfiguration(t *testing.T) {
	t.Setenv("REALTIME_TEST_SECRET", tokenSecret)
	const site = `
		http://{{site}} {
			realtime {
				token {
					hmac {env.REALTIME_TEST_SECRET}
				}
			}
		}
	`
	c := Start(t, site)
	for want, text := range map[string]string{
		"at least 32 are needed":    strings.Replace(site, "{env.REALTIME_TEST_SECRET}", "short", 1),
		"env.REALTIME_TEST_NOTHING": strings.Replace(site, "_SECRET}", "_NOTHING}", 1),
		"none.pem":                  strings.Replace(site, "hmac {env.REALTIME_TEST_SECRET}", "public_key none.pem", 1),
		"must be https":             strings.Replace(site, "hmac {env.REALTIME_TEST_SECRET}", "jwks http://id.example/", 1),
		"is said differently":       site + strings.NewReplacer("{{site}}", "{{other}}", "hmac", "issuer x\nhmac").Replace(site),
	} {
		err := c.Load(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), tokenSecret) {
			t.Errorf("error %v, not one with %q", err, want)
		}
	}
	c.Reload(site + strings.Replace(site, "{{site}}", "{{other}}", 1)) // the same block may be said twice
	for _, word := range []string{"site", "other"} {
		if _, _, first := connect(t, "ws://"+c.Addr(word)+"/realtime"); !strings.Contains(first, "connected") {
			t.Error(first)
		}
	}
}
