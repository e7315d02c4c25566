package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const rotationSite = `
http://{{site}} {
	realtime {
		token {
			hmac {file.FILES/token.new} {file.FILES/token.old}
		}
		api_key {file.FILES/key.new} {file.FILES/key.old}
		room chat:* {
			subscribe users
			publish users
		}
	}
}
`

// TestRotationWithConnectionsOpen changes the secret of the tokens and the API key as the
// docs say, without a reload, and with a connection open that goes on all the time.
func TestRotationWithConnectionsOpen(t *testing.T) {
	i, dir := newIssuer(t), t.TempDir()
	const oldSecret, newSecret = "the old secret of thirty-two bytes", "the new secret of thirty-two bytes"
	put := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		write(t, file+".tmp", text+"\n")
		if err := os.Rename(file+".tmp", file); err != nil {
			t.Fatal(err)
		}
	}
	both := func(which, token, key string) { put("token."+which, token); put("key."+which, key) }
	both("new", oldSecret, "old-key")
	both("old", oldSecret, "old-key")
	c := Start(t, strings.ReplaceAll(rotationSite, "FILES", dir))
	base := "http://" + c.Addr("site") + "/realtime"
	of := func(secret string) string { return i.sign(jwt.SigningMethodHS256, []byte(secret), claims("ann")) }
	ws, _, _ := connect(t, "ws"+strings.TrimPrefix(base, "http"), "Authorization", "Bearer "+of(oldSecret))
	send(t, ws, `{"type":"subscribe","payload":{"channel":"chat:1"}}`)
	expect(t, ws, `"type":"subscribed"`)

	// works reports whether somebody with a token or a key is let in; the connection that
	// is open receives what the key publishes.
	works := func(secret, key string) bool {
		t.Helper()
		_, answer, _ := connect(t, "ws"+strings.TrimPrefix(base, "http"), "Authorization", "Bearer "+of(secret))
		res, text := request(t, "POST", base+"/channels/chat:1/messages", `{"content":"`+key+`"}`, "Authorization", "Bearer "+key, "Content-Type", "application/json")
		if (answer.StatusCode == 101) != (res.StatusCode == 200) {
			t.Errorf("the token answers %d, the key %d %s", answer.StatusCode, res.StatusCode, text)
		}
		if res.StatusCode == 200 {
			expect(t, ws, `"content":"`+key+`"`)
		}
		return res.StatusCode == 200
	}
	for _, step := range []struct {
		name          string
		do            func()
		old, new      bool
		renew, answer string
	}{
		{"before", func() {}, true, false, oldSecret, `"type":"authenticated"`},
		{"both are in force", func() { both("new", newSecret, "new-key") }, true, true, newSecret, `"type":"authenticated"`},
		{"the old one is gone", func() { both("old", newSecret, "new-key") }, false, true, oldSecret, `"code":"UNAUTHORIZED"`},
		{"a file is being written", func() { both("new", "", "") }, false, true, newSecret, `"type":"authenticated"`},
	} {
		step.do()
		time.Sleep(1100 * time.Millisecond) // what is documented
		if old, new := works(oldSecret, "old-key"), works(newSecret, "new-key"); old != step.old || new != step.new {
			t.Errorf("%s: the old ones work: %t, the new ones: %t", step.name, old, new)
		}
		send(t, ws, `{"type":"authenticate","id":1,"payload":{"token":"`+of(step.renew)+`"}}`)
		expect(t, ws, step.answer)
	}
}
