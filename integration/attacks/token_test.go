package attacks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// secret is shared between the issuer of tokens and the site.
const secret = "a-secret-of-the-issuer-0123456789abcdef"

// claims are what a token says, by name.
type claims map[string]any

// good are the claims that the site wants, and more.
func good(more claims) claims {
	c := claims{"iss": "https://issuer.example", "aud": "chat", "sub": "bob", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range more {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

// signed makes a token. The header decides nothing here: the signature is always
// HMAC with SHA-256.
func signed(header string, c claims, key string) string { return seal(header, text(c), key) }

// payload is the text of good claims.
func payload(more claims) string { return text(good(more)) }

func text(c claims) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // never: the claims are plain values
	}
	return string(text)
}

func seal(header, payload, key string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// attackTokens present tokens that nobody has issued, or not for this.
func attackTokens(w *world) (rows []attack) {
	own := signed(hs256, good(nil), secret)
	head, rest, _ := strings.Cut(own, ".")
	body, mac, _ := strings.Cut(rest, ".")
	admin := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"admin","exp":9999999999}`))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	const no = "401 UNAUTHORIZED"
	for _, tok := range []struct{ name, expect, token string }{
		{"a good one", "user bob", own},
		{"alg none", no, none + "." + body + "."},
		{"alg none with the signature", no, none + "." + body + "." + mac},
		{"alg NONE", no, signed(`{"alg":"NONE"}`, good(nil), "")},
		{"no signature", no, head + "." + body + "."},
		{"two parts", no, head + "." + body},
		{"four parts", no, own + "." + mac},
		{"claims of another", no, head + "." + admin + "." + mac},
		{"empty secret", no, signed(hs256, good(nil), "")},
		{"wrong secret", no, signed(hs256, good(nil), "secret")},
		{"placeholder of the secret", no, signed(hs256, good(nil), "{env.REALTIME_TEST_SECRET}")},
		{"another algorithm", no, signed(`{"alg":"RS256"}`, good(nil), secret)},
		{"algorithm twice", no, signed(`{"alg":"HS256","alg":"none"}`, good(nil), "")},
		{"key in the header", no, signed(`{"alg":"HS256","jwk":{"kty":"oct","k":"c2VjcmV0"}}`, good(nil), "secret")},
		{"key id of a file", no, signed(`{"alg":"HS256","kid":"../../../dev/null"}`, good(nil), "")},
		{"URL of keys", no, signed(`{"alg":"HS256","jku":"http://127.0.0.1:1/keys"}`, good(nil), "secret")},
		{"trailing bits of base64 changed", no, own[:len(own)-1] + string(sibling(own[len(own)-1]))},
		{"padding", no, own + "="},
		{"line break inside", no, head + "." + body + ".\t" + mac},
		{"expired", "401 TOKEN_EXPIRED", signed(hs256, good(claims{"exp": 1}), secret)},
		{"expired, signed with another secret", no, signed(hs256, good(claims{"exp": 1}), "secret")},
		{"expired, of another issuer", no, signed(hs256, good(claims{"exp": 1, "iss": "https://evil.example"}), secret)},
		{"without expiry", no, signed(hs256, good(claims{"exp": nil}), secret)},
		{"expiry as text", no, signed(hs256, good(claims{"exp": "tomorrow"}), secret)},
		{"expiry below zero", "401 TOKEN_EXPIRED", signed(hs256, good(claims{"exp": -1}), secret)},
		{"expiry in milliseconds", no, signed(hs256, good(claims{"exp": time.Now().UnixMilli()}), secret)},
		{"not valid yet", no, signed(hs256, good(claims{"nbf": 9999999999}), secret)},
		{"issued in the future", no, signed(hs256, good(claims{"iat": 9999999999}), secret)},
		{"of another issuer", no, signed(hs256, good(claims{"iss": "https://issuer.example.evil.example"}), secret)},
		{"of no issuer", no, signed(hs256, good(claims{"iss": nil}), secret)},
		{"for another audience", no, signed(hs256, good(claims{"aud": []string{"mail", "chats"}}), secret)},
		{"for nobody", no, signed(hs256, good(claims{"aud": nil}), secret)},
		{"user with control characters", no, signed(hs256, good(claims{"sub": "bo\nb"}), secret)},
		{"user that is a list", no, signed(hs256, good(claims{"sub": []string{"admin"}}), secret)},
		{"user of 300 bytes", no, signed(hs256, good(claims{"sub": strings.Repeat("b", 300)}), secret)},
		{"claims nested 20,000 deep", no, seal(hs256, `{"a":`+strings.Repeat("[", 2000), secret)},
		{"an extension (crit)", no, signed(`{"alg":"HS256","crit":["x"],"x":1}`, good(nil), secret)},
		{"a payload that is not encoded (b64)", no, signed(`{"alg":"HS256","b64":false}`, good(nil), secret)},
		{"other claims behind the claims", no, seal(hs256, payload(nil)+`{"sub":"admin"}`, secret)},
		{"the user twice", no, seal(hs256, strings.Replace(payload(nil), "{", `{"sub":"admin",`, 1), secret)},
		{"user with half of a surrogate pair", no, seal(hs256, strings.Replace(payload(nil), "bob", `\ud800`, 1), secret)},
		{"user that is not UTF-8", no, seal(hs256, strings.Replace(payload(nil), "bob", "bob\xff", 1), secret)},
		{"of 9 KiB", no, signed(hs256, good(claims{"x": strings.Repeat("x", 7<<10)}), secret)},
		{"a pattern with a placeholder in a grant", no, signed(hs256, good(claims{"channels": []any{claims{"pattern": "inbox:{user}", "allow": []string{"publish"}}}}), secret)},
	} {
		rows = append(rows, attack{tok.name, tok.expect, func(t *testing.T) string { return w.tokens.who(t, bearer(tok.token)) }})
	}
	return append(append(rows, tokenPlaces(w, own)...), tokenUses(w)...)
}

// sibling is a letter whose last two bits differ, which stand for nothing at the end
// of a signature of 32 bytes.
func sibling(letter byte) byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return letters[strings.IndexByte(letters, letter)^1]
}

// who connects and says as whom.
func (s target) who(t *testing.T, header ...string) string {
	t.Helper()
	c, a, err := s.open(t, header...)
	switch {
	case err != nil:
		return err.Error()
	case c == nil:
		return a.String()
	case c.user == "":
		return "anonymous"
	}
	return "user " + c.user
}

// tokenPlaces are places where the site does not look for tokens.
func tokenPlaces(w *world, own string) (rows []attack) {
	for _, header := range []string{
		"Cookie: token=" + own, "X-Token: " + own, "Sec-WebSocket-Protocol: realtime.v1, realtime.token." + own, "Proxy-Authorization: Bearer " + own,
	} {
		name, _, _ := strings.Cut(header, ":")
		rows = append(rows, attack{"good token in " + name, "anonymous", func(t *testing.T) string { return w.tokens.who(t, header) }})
	}
	return append(rows, attack{"good token in the query", "401 UNAUTHORIZED", func(t *testing.T) string {
		return w.tokens.send(t, post("inbox:bob", `{"content":1}`, jsonType).at("/rt/channels/inbox:bob/messages?token="+own+"&access_token="+own)).String()
	}})
}

// at gives the same request for another path.
func (r request) at(path string) request {
	r.path = path
	return r
}

// tokenUses take a good token for more than it says.
func tokenUses(w *world) []attack {
	grant := func(pattern string, allow ...string) claims {
		return claims{"channels": []any{claims{"pattern": pattern, "allow": allow}}}
	}
	write := func(channel string, more claims) func(*testing.T) string {
		return func(t *testing.T) string {
			return w.tokens.send(t, post(channel, `{"content":1}`, jsonType, bearer(signed(hs256, good(more), secret)))).String()
		}
	}
	const no = "403 FORBIDDEN"
	return []attack{
		{"publish with a grant", "200", write("granted:1", grant("granted:*", "publish"))},
		{"publish with a grant to subscribe", no, write("granted:1", grant("granted:*", "subscribe"))},
		{"publish with a grant for a sibling", no, write("granted:1", grant("granted:2", "publish"))},
		{"publish where users may, with a grant and no user", "401 UNAUTHORIZED", func(t *testing.T) string {
			token := signed(hs256, good(claims{"sub": nil, "channels": grant("inbox:*", "publish")["channels"]}), secret)
			return w.tokens.send(t, post("inbox:bob", `{"content":1}`, jsonType, bearer(token))).String()
		}},
		{"publish to another's inbox with a grant for it", no, write("inbox:alice", grant("inbox:*", "publish"))},
		{"publish to a team by claim", "200", write("team:red", claims{"team": "red"})},
		{"publish to another team", no, write("team:blue", claims{"team": "red"})},
		{"publish to team {claim.team} without the claim", no, write("team:red", nil)},
		{"publish with teams as a list", no, write("team:red", claims{"team": []string{"red", "blue"}})},
		{"publish with a number for a team", no, write("team:1", claims{"team": 1.5})},
		{"lists channels with a token", no, func(t *testing.T) string {
			return w.tokens.send(t, request{"GET", "/rt/channels", []string{bearer(signed(hs256, good(nil), secret))}, ""}).String()
		}},
		{"another user's token on a live connection", "FORBIDDEN", func(t *testing.T) string {
			c := w.tokens.connect(t, bearer(signed(hs256, good(nil), secret)))
			return c.ask(t, "authenticate", `{"token":"`+signed(hs256, good(claims{"sub": "admin"}), secret)+`"}`).outcome()
		}},
		{"a token without user on a user's connection", "FORBIDDEN", func(t *testing.T) string {
			c := w.tokens.connect(t, bearer(signed(hs256, good(nil), secret)))
			return c.ask(t, "authenticate", `{"token":"`+signed(hs256, good(claims{"sub": nil}), secret)+`"}`).outcome()
		}},
		{"commands before authenticate where it is required", "UNAUTHORIZED, then closed 4401", func(t *testing.T) string {
			c := w.required.connect(t)
			return c.ask(t, "subscribe", `{"channel":"open:1"}`).outcome() + ", then " + c.fate()
		}},
		{"a stream without token where it is required", "401 UNAUTHORIZED", func(t *testing.T) string {
			return w.required.send(t, request{"GET", "/rt/sse?channel=open:1", nil, ""}).String()
		}},
		{"the public key as an HMAC secret", "401 UNAUTHORIZED", func(t *testing.T) string {
			return w.required.who(t, bearer(signed(hs256, good(nil), w.publicKey)))
		}},
		{"errors of tokens tell nothing", "the same words for all", func(t *testing.T) string {
			seen := make(map[string]int)
			for _, token := range []string{"x", signed(hs256, good(nil), "wrong"), signed(hs256, good(claims{"aud": "mail"}), secret), signed(hs256, good(claims{"exp": 1}), "wrong")} {
				seen[w.tokens.send(t, request{"GET", "/rt/channels/open:1/messages", []string{bearer(token)}, ""}).body]++
			}
			if len(seen) != 1 {
				return fmt.Sprint(seen)
			}
			return "the same words for all"
		}},
	}
}
