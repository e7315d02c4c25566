package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// presenceSite has two hubs of two apps.
const presenceSite = `
http://{{site}} {
	log
	realtime /rt {
		user {header.X-User}
		hub one
	}
	realtime /other {
		user {header.X-User}
		hub two
	}
}
`

// presenceHubs has a rate that a flood exceeds.
const presenceHubs = `
{
	realtime one {
		{{store}}
		limits {
			rate 20/s 40
			message_size 4KiB
		}
		room chat:* {
			subscribe anyone
			presence
		}
		room plain {
			subscribe anyone
		}
	}
	realtime two {
		room chat:* {
			subscribe anyone
			presence
		}
	}
}
`

// secretStream is an event stream that was told its secret.
type secretStream struct {
	*roomStream
	secret, connection string
}

// enterByStream opens a stream and reads up to the members.
func enterByStream(t *testing.T, base, user, channel string) secretStream {
	t.Helper()
	s := secretStream{roomStream: openStream(t, base, user, channel)}
	var greeting struct {
		Payload struct{ Secret, Connection string }
	}
	line := s.until(`"type":"connected"`)
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &greeting); err != nil || greeting.Payload.Secret == "" {
		t.Fatalf("the greeting is %s, %v", line, err)
	}
	s.secret, s.connection = greeting.Payload.Secret, greeting.Payload.Connection
	s.until(`"type":"presence"`)
	return s
}

// updates sends an update of a user's member, and checks the answer.
func updates(t *testing.T, base, user, channel, secret, status string, want int, code string) {
	t.Helper()
	res, text := request(t, "POST", base+"/channels/"+channel+"/presence",
		fmt.Sprintf(`{"secret":%q,"status":%q}`, secret, status), "X-User", user, "Content-Type", "application/json")
	if res.StatusCode != want || !strings.Contains(text, code) {
		t.Errorf("%s says %s at %s: %s %s; want %d %s", user, status, base, res.Status, text, want, code)
	}
}

// The client of a stream changes its member. Requests that may not are rejected, and change nothing.
func TestPresenceOverStreams(t *testing.T) {
	c := Start(t, strings.Replace(presenceHubs, "{{store}}", "", 1)+presenceSite)
	site := "http://" + c.Addr("site")
	base, other := site+"/rt", site+"/other"
	ann, bob := enterByStream(t, base, "ann", "chat:1"), enterByStream(t, base, "bob", "chat:1")
	ann.until(`"entered":["bob"]`)
	updates(t, base, "bob", "chat:1", bob.secret, "away", 200, `{"channel":"chat:1"}`)
	ann.until(`"updated":["bob"]`, `"bob":{"status":"away"}`)

	away := enterByStream(t, other, "bob", "chat:1")
	updates(t, base, "bob", "chat:1", away.secret, "evil", 409, "NOT_SUBSCRIBED") // of another app
	updates(t, other, "bob", "chat:1", bob.secret, "evil", 409, "NOT_SUBSCRIBED")
	updates(t, base, "ann", "chat:1", bob.secret, "evil", 403, "FORBIDDEN")
	updates(t, base, "", "chat:1", bob.secret, "evil", 403, "FORBIDDEN")
	updates(t, base, "bob", "chat:1", bob.secret[:len(bob.secret)-1]+"!", "evil", 409, "NOT_SUBSCRIBED")
	updates(t, base, "bob", "chat:1", bob.connection, "evil", 409, "NOT_SUBSCRIBED")
	updates(t, base, "bob", "chat:2", bob.secret, "evil", 409, "NOT_SUBSCRIBED")
	updates(t, base, "bob", "chat:1", bob.secret, strings.Repeat("x", 33), 400, "INVALID_MESSAGE")
	updates(t, base, "bob", "chat:1", bob.secret, strings.Repeat("x", 14<<10), 413, "TOO_LARGE")
	res, _ := request(t, "POST", base+"/channels/chat:1/presence", `{}`, "Origin", "https://evil.example", "Content-Type", "application/json")
	if res.StatusCode != 403 {
		t.Errorf("for a page of another origin: %s", res.Status)
	}

	// A flood is over the rate of its user, and of nobody else.
	limited := 0
	for range 100 {
		res, _ := request(t, "POST", base+"/channels/chat:1/presence", `{"secret":"x","status":"evil"}`, "X-User", "cat", "Content-Type", "application/json")
		if res.StatusCode == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 20 {
		t.Errorf("%d of 100 requests were over the rate", limited)
	}
	updates(t, base, "ann", "chat:1", ann.secret, "busy", 200, "chat:1")
	if line := ann.until(`"updated":`); !strings.Contains(line, `"ann":{"status":"busy"}`) {
		t.Errorf("an update that was rejected has arrived: %s", line)
	}

	bob.end()
	overDeadline := time.Now().Add(10 * time.Second)
	for {
		res, _ := request(t, "POST", base+"/channels/chat:1/presence", fmt.Sprintf(`{"secret":%q,"status":"away"}`, bob.secret), "X-User", "bob", "Content-Type", "application/json")
		if res.StatusCode == http.StatusConflict {
			break
		}
		if time.Now().After(overDeadline) {
			t.Fatalf("a stream that is over can be updated: %s", res.Status)
		}
		time.Sleep(100 * time.Millisecond) // the server has not noticed yet
	}
	again := enterByStream(t, base, "bob", "chat:1")
	if again.secret == bob.secret {
		t.Error("the secret is the same")
	}
	updates(t, base, "bob", "chat:1", again.secret, "back", 200, "chat:1")
	ann.until(`"bob":{"status":"back"}`)
	log := caddyLog.take()
	for _, s := range []string{ann.secret, bob.secret, again.secret} {
		if strings.Contains(log, s) {
			t.Error("the log has a secret")
		}
	}
}

// A balancer sends the request to a node that does not have the stream.
func TestPresenceOverStreamsOfOtherNodes(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	site := strings.Replace(presenceHubs, "{{store}}", "redis {env.REALTIME_TEST_REDIS}", 1) + presenceSite
	env := "REALTIME_TEST_REDIS=" + redis.Addr
	a, b := StartProcess(t, site, env), StartProcess(t, site, env)
	baseA, baseB := "http://"+a.Addr("site")+"/rt", "http://"+b.Addr("site")+"/rt"
	ann, bob := enterByStream(t, baseB, "ann", "chat:1"), enterByStream(t, baseA, "bob", "chat:1")
	ann.until(`"entered":["bob"]`)
	updates(t, baseB, "bob", "chat:1", bob.secret, "away", 200, `{"channel":"chat:1"}`)
	ann.until(`"bob":{"status":"away"}`)
	updates(t, baseB, "ann", "chat:1", bob.secret, "evil", 403, "FORBIDDEN")
	updates(t, baseB, "bob", "chat:2", bob.secret, "evil", 409, "NOT_SUBSCRIBED")
	updates(t, baseB, "bob", "chat:1", bob.secret[:len(bob.secret)-1]+"!", "evil", 409, "NOT_SUBSCRIBED")
	a.Kill()
	updates(t, baseB, "bob", "chat:1", bob.secret, "evil", 503, "UNAVAILABLE")
	again := enterByStream(t, baseB, "bob", "chat:1")
	updates(t, baseB, "bob", "chat:1", again.secret, "back", 200, "chat:1")
	ann.until(`"bob":{"status":"back"}`)
}
