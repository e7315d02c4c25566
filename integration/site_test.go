package integration

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

const openSite = `
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		user {header.X-User}
		room open:* {
			subscribe anyone
			publish anyone
			history 10
		}
		room team:* {
			publish users
		}
	}
}
`

const appKey = "a-key-of-the-app"

// request sends a request with headers in pairs and returns the answer.
func request(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// TestWhoMay goes through the door of a route: origins, keys and users.
func TestWhoMay(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := Start(t, openSite)
	base := "http://" + c.Addr("site") + "/rt"
	const body = `{"content": 1}`
	for _, test := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"the app publishes", "POST", "/channels/team:1/messages", []string{"Authorization", "Bearer " + appKey}, 200},
		{"the app publishes where no room is", "POST", "/channels/none/messages", []string{"Authorization", "Bearer " + appKey}, 404},
		{"a user publishes where no room is", "POST", "/channels/none/messages", []string{"X-User", "alice"}, 403},
		{"the app, from a foreign page", "POST", "/channels/team:1/messages", []string{"Authorization", "Bearer " + appKey, "Origin", "https://evil.example"}, 200},
		{"a wrong key", "POST", "/channels/open:1/messages", []string{"Authorization", "Bearer " + appKey + "x"}, 401},
		{"a program publishes", "POST", "/channels/open:1/messages", nil, 200},
		{"an own page publishes", "POST", "/channels/open:1/messages", []string{"Origin", "http://" + c.Addr("site")}, 200},
		{"a foreign page publishes", "POST", "/channels/open:1/messages", []string{"Origin", "https://evil.example"}, 403},
		{"a page without origin publishes", "POST", "/channels/open:1/messages", []string{"Origin", "null"}, 403},
		{"a user publishes", "POST", "/channels/team:1/messages", []string{"X-User", "alice"}, 200},
		{"nobody publishes for users", "POST", "/channels/team:1/messages", nil, 401},
		{"an unusable user", "POST", "/channels/open:1/messages", []string{"X-User", strings.Repeat("x", 300)}, 401},
		{"a slash in a channel", "POST", "/channels/open%3Aa%2Fb/messages", nil, 200},
		{"a foreign page reads", "GET", "/channels/open:1/messages", []string{"Origin", "https://evil.example"}, 200},
		{"a foreign stream", "GET", "?channel=open:1", []string{"Accept", "text/event-stream", "Origin", "https://evil.example"}, 403},
		{"a foreign stream at its own path", "GET", "/sse?channel=open:1", []string{"Origin", "https://evil.example"}, 403},
		{"a foreign handshake", "GET", "", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Origin", "https://evil.example"}, 403},
		{"a broken handshake", "GET", "", []string{"Connection", "Upgrade", "Upgrade", "websocket"}, 400},
		{"a foreign preflight", "OPTIONS", "/publish", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 403},
		{"an own preflight", "OPTIONS", "/publish", []string{"Origin", "http://" + c.Addr("site"), "Access-Control-Request-Method", "POST"}, 204},
		{"a person with a browser", "GET", "", nil, 426},
		{"a post to the base path", "POST", "", nil, 405},
		{"nothing there", "GET", "/nothing", nil, 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, text := request(t, test.method, base+test.path, body, test.headers...)
			if res.StatusCode != test.status {
				t.Errorf("status %d, not %d: %s", res.StatusCode, test.status, text)
			}
			if res.StatusCode >= 400 && res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("the error is not a problem but %q: %s", res.Header.Get("Content-Type"), text)
			}
			if strings.Contains(text, appKey) {
				t.Errorf("the answer shows the key: %s", text)
			}
			if res.Header.Get("Access-Control-Allow-Origin") == "https://evil.example" {
				t.Error("a foreign page may read the answer")
			}
		})
	}
}

// TestUserOfBasicAuth shows that authentication runs before the route without an
// order line.
func TestUserOfBasicAuth(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	c := Start(t, `
		http://{{site}} {
			realtime {
				user {http.auth.user.id}
				room inbox:{user} {
					publish users
				}
			}
			basic_auth {
				alice `+string(hash)+`
			}
		}
	`)
	for channel, status := range map[string]int{"inbox:alice": 200, "inbox:bob": 403} {
		url := "http://alice:secret@" + c.Addr("site") + "/realtime/channels/" + channel + "/messages"
		if res, text := request(t, "POST", url, `{"content": 1}`); res.StatusCode != status {
			t.Errorf("%s: %d %s", channel, res.StatusCode, text)
		}
	}
}

// TestOriginBehindProxy is about a proxy in front that speaks TLS with the client
// and none with Caddy.
func TestOriginBehindProxy(t *testing.T) {
	const site = `
		http://{{site}} {
			realtime {
				room open {
					publish anyone
				}
			}
		}
	`
	const trusting = `{
		servers {
			trusted_proxies static 127.0.0.1/32
		}
	}`
	for globals, status := range map[string]int{trusting: 200, "": 403} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			c := Start(t, globals+site)
			res, _ := request(t, "POST", "http://"+c.Addr("site")+"/realtime/channels/open/messages", `{"content": 1}`,
				"Origin", "https://"+c.Addr("site"), "X-Forwarded-Proto", "https")
			if res.StatusCode != status {
				t.Errorf("status %d, not %d", res.StatusCode, status)
			}
		})
	}
}

func TestPagesOfOtherOrigins(t *testing.T) {
	c := Start(t, `
		http://{{site}} {
			realtime {
				origins https://app.example.com
				room open {
					subscribe anyone
					history 1
				}
			}
		}
	`)
	base := "http://" + c.Addr("site") + "/realtime"
	origin := []string{"Origin", "https://app.example.com"}
	for _, path := range []string{"/channels/open/messages", "/channels/closed/messages", "/nothing", ""} {
		res, _ := request(t, "GET", base+path, "", origin...)
		if res.Header.Get("Access-Control-Allow-Origin") != origin[1] || res.Header.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("%s answers %d, which the page can not read: %v", path, res.StatusCode, res.Header)
		}
		if res.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: Vary is %q", path, res.Header.Values("Vary"))
		}
	}
	res, _ := request(t, "OPTIONS", base+"/publish", "", append(origin, "Access-Control-Request-Method", "POST")...)
	if res.StatusCode != 204 || !strings.Contains(res.Header.Get("Access-Control-Allow-Methods"), "POST") ||
		!strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("the preflight answers %d %v", res.StatusCode, res.Header)
	}
	if res, _ := request(t, "POST", base+"/publish", "[]", "Origin", "http://"+c.Addr("site")); res.StatusCode != 403 {
		t.Errorf("the site's own origin is let in without being listed: %d", res.StatusCode)
	}
}

// TestLiteralKeyWarns and stays out of the log.
func TestLiteralKeyWarns(t *testing.T) {
	c := Start(t, `
		http://{{site}} {
			realtime {
				api_key `+appKey+`
			}
		}
	`)
	if line := c.WaitLog("an API key stands in the configuration"); strings.Contains(line, appKey) {
		t.Errorf("the key is logged: %s", line)
	}
}

// TestRoomForNobodyWarns where no route finds out who is calling.
func TestRoomForNobodyWarns(t *testing.T) {
	const said = "a room is for users, and no route of the hub"
	const room = `
				room open:* {
					subscribe anyone
				}
				room chat:*
			}
		}
	`
	c := Start(t, `
		http://{{site}} {
			realtime {
				user {http.auth.user.id}`+room)
	if line, _ := caddyLog.find(said); line != "" {
		t.Errorf("logged %s", line)
	}
	c.Reload(`
		http://{{site}} {
			realtime {` + room)
	if line := c.WaitLog(said); !strings.Contains(line, "chat:*") {
		t.Errorf("logged %s", line)
	}
}

func TestClientScripts(t *testing.T) {
	c := Start(t, openSiteWithoutKey+`
		http://{{stripped}} {
			handle_path /deep/rt/* {
				realtime /
			}
		}
	`)
	site, stripped := "http://"+c.Addr("site")+"/rt/", "http://"+c.Addr("stripped")+"/deep/rt/"
	for _, url := range []string{site + "client.js", site + "documents.js", site + "calls.js", site + "watch.js", site + "diagnose.js", site + "away.js", site + "stores.js", site + "shared.js", site + "sharedworker.js", site + "global.js", stripped + "client.js", stripped + "documents.js"} {
		res, text := request(t, "GET", url, "", "Origin", "https://anywhere.example")
		if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/javascript") || text == "" {
			t.Fatalf("%s answers %d %v", url, res.StatusCode, res.Header)
		}
		if res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("pages of other origins can not load %s as a module", url)
		}
		if res, text = request(t, "GET", url, "", "If-None-Match", res.Header.Get("ETag")); res.StatusCode != 304 || text != "" {
			t.Errorf("%s is known and sent again: %d, %d bytes", url, res.StatusCode, len(text))
		}
		if res, _ := request(t, "POST", url, ""); res.StatusCode != 404 {
			t.Errorf("posting to %s answers %d", url, res.StatusCode)
		}
	}
}
