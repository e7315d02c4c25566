package integration

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what TURN servers compute
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const turnSecret = "shared-with-coturn"

const turnSite = `
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		token {
			hmac {env.REALTIME_TEST_SECRET}
		}
		limits {
			rate 20/s 40
		}
		TURN
	}
}
`

const turnBlock = `turn {
	uri stun:turn.example.com turn:turn.example.com
	secret {env.REALTIME_TEST_TURN}
	ttl 10m
	OPTION
}`

// turn asks for credentials, with an Authorization of its own; empty for none.
func turn(t *testing.T, c *Caddy, authorization string) (status int, body []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+c.Addr("site")+"/rt/turn", nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", "Bearer "+authorization)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var text json.RawMessage
	if err := json.NewDecoder(answer.Body).Decode(&text); err != nil && answer.StatusCode != http.StatusNoContent {
		t.Fatal(err)
	}
	if answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("caches may keep the answer: %v", answer.Header)
	}
	return answer.StatusCode, text
}

// A user gets credentials that a TURN server accepts by the secret alone. Nobody else gets any,
// unless the block says so, and the secret is seen nowhere.
func TestTurn(t *testing.T) {
	const key = "k3y-0123456789abcdef"
	t.Setenv("REALTIME_TEST_KEY", key)
	t.Setenv("REALTIME_TEST_TURN", turnSecret)
	ann := newIssuer(t).hmac(claims("ann"))
	closed := strings.Replace(turnBlock, "OPTION", "", 1)
	c := Start(t, strings.Replace(turnSite, "TURN", closed, 1))
	status, body := turn(t, c, ann)
	if status != http.StatusOK {
		t.Fatalf("%d, %s", status, body)
	}
	checkTurn(t, body, "ann")
	if status, body := turn(t, c, ""); status != http.StatusUnauthorized || strings.Contains(string(body), "iceServers") {
		t.Errorf("a client that is not signed in: %d, %s", status, body)
	}
	if status, body := turn(t, c, key); status != http.StatusForbidden {
		t.Errorf("an API key: %d, %s", status, body)
	}
	limited := false
	for range 200 {
		status, _ := turn(t, c, ann)
		if limited = status == http.StatusTooManyRequests; limited {
			break
		}
	}
	if !limited {
		t.Error("200 requests of a user in a row were all answered")
	}
	c.Reload(strings.Replace(turnSite, "TURN", strings.Replace(turnBlock, "OPTION", "anyone", 1), 1))
	status, body = turn(t, c, "")
	if status != http.StatusOK {
		t.Fatalf("%d, %s", status, body)
	}
	checkTurn(t, body, "anonymous")
	c.Reload(strings.Replace(turnSite, "TURN", "", 1))
	for who, want := range map[string]int{newIssuer(t).hmac(claims("bob")): http.StatusNoContent, "": http.StatusNoContent, key: http.StatusForbidden} {
		if status, body := turn(t, c, who); status != want || (status == http.StatusNoContent && len(body) > 0) {
			t.Errorf("without the option, to %q: %d, %s", who, status, body)
		}
	}
	if log := caddyLog.take(); strings.Contains(log, turnSecret) {
		t.Errorf("the log has the secret:\n%s", log)
	}
	if config, err := c.adapt(strings.Replace(turnSite, "TURN", closed, 1)); err != nil || strings.Contains(string(config), turnSecret) {
		t.Errorf("the adapted configuration has the secret, or %v", err)
	}
	t.Setenv("REALTIME_TEST_TURN", "")
	if err := c.Load(strings.Replace(turnSite, "TURN", closed, 1)); err == nil || !strings.Contains(err.Error(), "turn: secret") {
		t.Errorf("a secret that is not set: %v", err)
	}
}

// checkTurn checks an answer as coturn would check the credentials.
func checkTurn(t *testing.T, body []byte, user string) {
	t.Helper()
	var a struct {
		ICEServers []struct {
			URLs                 []string
			Username, Credential string
		}
		Expires int64
	}
	if err := json.Unmarshal(body, &a); err != nil || len(a.ICEServers) != 2 {
		t.Fatalf("%s: %v", body, err)
	}
	stun, relay := a.ICEServers[0], a.ICEServers[1]
	if stun.Username != "" || stun.URLs[0] != "stun:turn.example.com" || relay.URLs[0] != "turn:turn.example.com" {
		t.Errorf("%s", body)
	}
	mac := hmac.New(sha1.New, []byte(turnSecret))
	mac.Write([]byte(relay.Username))
	if relay.Credential != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		t.Errorf("%s has another password than the secret makes", body)
	}
	at, name, _ := strings.Cut(relay.Username, ":")
	expires, err := strconv.ParseInt(at, 10, 64)
	left := time.Until(time.Unix(expires, 0))
	if err != nil || name != user || expires*1000 != a.Expires || left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("%s: valid for %s, %v", body, left, err)
	}
}
