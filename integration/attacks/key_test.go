package attacks

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// attackKeys try to be the app without its API key. GET /channels is the app's
// alone.
func attackKeys(w *world) (rows []attack) {
	list := func(path string, header ...string) func(*testing.T) string {
		return func(t *testing.T) string {
			a := w.site.send(t, request{"GET", "/rt/channels" + path, header, ""})
			if strings.Contains(a.body, appKey) {
				return "the answer shows the key"
			}
			return a.String()
		}
	}
	flipped := appKey[:len(appKey)-1] + "g"
	for _, key := range []struct{ name, header string }{
		{"no key", "Authorization: Bearer"},
		{"an empty key", "Authorization: Bearer "},
		{"a wrong key", bearer("wrong")},
		{"the key without its last letter", bearer(appKey[:len(appKey)-1])},
		{"the key with a letter more", bearer(appKey + "x")},
		{"the key with another last letter", bearer(flipped)},
		{"the key in upper case", bearer(strings.ToUpper(appKey))},
		{"the key twice", bearer(appKey + " " + appKey)},
		{"the key in quotes", bearer(`"` + appKey + `"`)},
		{"the key percent-encoded", bearer(url.QueryEscape(appKey[:1]) + "%33" + appKey[2:])},
		{"the placeholder of the key", bearer("{env.REALTIME_TEST_KEY}")},
		{"the key without a scheme", "Authorization: " + appKey},
		{"the key as Basic", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("app:"+appKey))},
		{"the key as another scheme", "Authorization: Token " + appKey},
		{"the key in X-Api-Key", "X-Api-Key: " + appKey},
		{"the key in a cookie", "Cookie: api_key=" + appKey + "; token=" + appKey + "; Authorization=Bearer " + appKey},
		{"the key as subprotocol", "Sec-WebSocket-Protocol: " + appKey},
	} {
		rows = append(rows, attack{key.name, "401 UNAUTHORIZED", list("", key.header)})
	}
	for _, query := range []string{"api_key", "key", "token", "access_token", "authorization"} {
		rows = append(rows, attack{"the key in the query, ?" + query + "=", "401 UNAUTHORIZED", list("?" + query + "=" + appKey)})
	}
	return append(rows,
		attack{"a wrong key before the right one", "401 UNAUTHORIZED", list("", bearer("wrong"), bearer(appKey))},
		attack{"a wrong key does not fall back to anonymous", "401 UNAUTHORIZED", func(t *testing.T) string {
			return w.site.send(t, post("open:1", `{"content":1}`, jsonType, bearer("wrong"))).String()
		}},
		attack{"a user lists channels", "403 FORBIDDEN", list("", "X-User: alice")},
		attack{"a key opens no channel over WebSocket", "FORBIDDEN", func(t *testing.T) string {
			return w.site.connect(t, bearer(appKey), "X-User: alice").ask(t, "message", `{"channel":"plain-of-the-app","content":1}`).outcome()
		}},
		attack{"the key itself", "200", list("", bearer(appKey))},
	)
}
