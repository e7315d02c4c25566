package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const senderSite = `
http://{{site}} {
	log
	realtime /rt {
		user {header.X-User}
		redis {env.REALTIME_TEST_REDIS}
		room todo:* {
			subscribe anyone
			publish anyone
			presence
			document
		}
	}
}
`

// post sends a request of a user, and checks the answer. No user is an anonymous client.
func post(t *testing.T, url, user, body string, want int, says string) {
	t.Helper()
	res, text := request(t, "POST", url, body, "X-User", user, "Content-Type", "application/json")
	if res.StatusCode != want || !strings.Contains(text, says) {
		t.Errorf("%q of %q is answered with %s %s; want %d %s", body, user, res.Status, text, want, says)
	}
}

// The secret of a stream is good at every node, for a message, for a change of a document and for the member:
// a balancer sends the request to any of them. Subscribers of both nodes see the stream as the sender.
func TestSenderOfAStreamOfAnotherNode(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	env := "REALTIME_TEST_REDIS=" + redis.Addr
	a, b := StartProcess(t, senderSite, env), StartProcess(t, senderSite, env)
	baseA, baseB := "http://"+a.Addr("site")+"/rt", "http://"+b.Addr("site")+"/rt"
	own, other := enterByStream(t, baseA, "", "todo:1"), enterByStream(t, baseB, "", "todo:1")
	own.until(`"entered":["` + other.connection + `"]`)
	streams := []secretStream{own, other}
	messages, changes := baseB+"/channels/todo:1/messages", baseB+"/channels/todo:1/document/changes"
	sender := `"sender":"` + own.connection + `"`

	post(t, messages, "", fmt.Sprintf(`{"content":"said","secret":%q}`, own.secret), 200, "{}")
	post(t, changes, "", fmt.Sprintf(`{"client":"c","localVersion":1,"baseVersion":0,"patch":{"n":1},"secret":%q}`, own.secret), 200, `"serverVersion":1`)
	updates(t, baseB, "", "todo:1", own.secret, "away", 200, `{"channel":"todo:1"}`)
	for _, s := range streams {
		for _, line := range []string{s.until(`"content":"said"`), s.until(`"type":"remote-change"`)} {
			if !strings.Contains(line, sender) || strings.Contains(line, "secret") {
				t.Errorf("a stream gets %s, want %s and no secret", line, sender)
			}
		}
		s.until(`"` + own.connection + `":{"status":"away"}`)
	}

	// A user stays the user. What is wrong about a secret is an error, and publishes nothing.
	post(t, messages, "ann", fmt.Sprintf(`{"content":"of a user","secret":%q}`, own.secret), 200, "{}")
	parts, mixed := strings.Split(own.secret, "."), strings.Split(other.secret, ".")
	for _, secret := range []string{
		"x", own.connection, own.secret[1:] + "x", parts[0] + "." + parts[1] + "." + mixed[2], parts[0] + "." + mixed[1] + "." + parts[2],
	} {
		post(t, messages, "", fmt.Sprintf(`{"content":"evil","secret":%q}`, secret), 400, "INVALID_MESSAGE")
		post(t, changes, "", fmt.Sprintf(`{"client":"c","localVersion":2,"baseVersion":1,"patch":{"evil":1},"secret":%q}`, secret), 400, "INVALID_MESSAGE")
		updates(t, baseB, "", "todo:1", secret, "evil", 409, "NOT_SUBSCRIBED")
	}
	updates(t, baseB, "", "todo:1", other.secret, "back", 200, "todo:1")
	for _, s := range streams {
		for _, part := range []string{`"content":"of a user"`, `"status":"back"`} {
			line := s.until(`"type":`)
			if strings.Contains(line, "evil") || !strings.Contains(line, part) || strings.Contains(part, "content") && !strings.Contains(line, `"sender":"ann"`) {
				t.Errorf("a stream gets %s, want %s", line, part)
			}
		}
	}

	// The node of the stream need not be there.
	a.Kill()
	post(t, messages, "", fmt.Sprintf(`{"content":"late","secret":%q}`, own.secret), 200, "{}")
	if line := other.until(`"content":"late"`); !strings.Contains(line, sender) {
		t.Errorf("after the end of the stream: %s, want %s", line, sender)
	}
	if log := b.log.take(); strings.Contains(log, parts[2]) || strings.Contains(log, mixed[2]) {
		t.Error("the log has a secret")
	}
}
