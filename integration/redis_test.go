package integration

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

const sharedSite = `
http://{{site}} {
	realtime /rt {
		user {header.X-User}
		redis {env.REALTIME_TEST_REDIS}
		room chat:* {
			subscribe anyone
			publish anyone
			history 10
			presence {
				grace 200ms
			}
		}
	}
}
`

// roomStream is an event stream of one user.
type roomStream struct {
	t     *testing.T
	lines *bufio.Scanner
	end   context.CancelFunc
}

func follow(t *testing.T, base, user, channel string) *roomStream {
	t.Helper()
	s := openStream(t, base, user, channel)
	s.until(`"type":"presence"`)
	return s
}

// openStream opens a stream, and reads nothing.
func openStream(t *testing.T, base, user, channel string) *roomStream {
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), 2*time.Minute) // for all that the test does
	t.Cleanup(end)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"?channel="+channel, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("X-User", user)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return &roomStream{t, bufio.NewScanner(res.Body), end}
}

// until reads up to a line that has all the parts.
func (s *roomStream) until(parts ...string) string {
	s.t.Helper()
	for s.lines.Scan() {
		has := true
		for _, p := range parts {
			has = has && strings.Contains(s.lines.Text(), p)
		}
		if has {
			return s.lines.Text()
		}
	}
	s.t.Fatalf("the stream ended before %q: %v", parts, s.lines.Err())
	return ""
}

// Two processes share a room: its messages, their order, and who is in it, also when
// one of them is killed, and when Redis is.
func TestProcessesShareRooms(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	env := "REALTIME_TEST_REDIS=" + redis.Addr
	a, b := StartProcess(t, sharedSite, env), StartProcess(t, sharedSite, env)
	baseA, baseB := "http://"+a.Addr("site")+"/rt", "http://"+b.Addr("site")+"/rt"
	publish := func(base, content string) int {
		res, _ := request(t, "POST", base+"/channels/chat:1/messages", `{"content": "`+content+`"}`, "X-User", "carl")
		return res.StatusCode
	}

	ann := follow(t, baseA, "ann", "chat:1")
	ben := follow(t, baseB, "ben", "chat:1")
	ann.until(`"entered":["ben"]`)
	for _, base := range []string{baseA, baseB} {
		if status := publish(base, base); status != 200 {
			t.Fatalf("publishing is answered with %d", status)
		}
	}
	for _, s := range []*roomStream{ann, ben} {
		s.until(baseA, `"offset":1`)
		s.until(baseB, `"offset":2`)
	}
	if _, body := request(t, "GET", baseA+"/channels/chat:1/presence", "", "X-User", "ann"); !strings.Contains(body, `"ben"`) || !strings.Contains(body, `"ann"`) {
		t.Errorf("the members of the room: %s", body)
	}

	redis.Kill()
	if status := publish(baseA, "away"); status != http.StatusServiceUnavailable {
		t.Errorf("without Redis publishing is answered with %d", status)
	}
	redis.Restart()
	for _, s := range []*roomStream{ann, ben} {
		s.until(`"type":"gap"`)
	}
	if status := publish(baseB, "back"); status != 200 {
		t.Errorf("afterwards publishing is answered with %d", status)
	}
	for _, s := range []*roomStream{ann, ben} {
		s.until("back", `"offset":1`)
	}

	b.Kill()
	ann.until(`"left":["ben"]`)
}

// What Redis a hub is on can not change under its connections.
func TestReloadKeepsRedis(t *testing.T) {
	redis := redistest.Start(t)
	t.Setenv("REALTIME_TEST_REDIS", redis.Addr)
	c := Start(t, sharedSite)
	base := "http://" + c.Addr("site") + "/rt"
	ann := follow(t, base, "ann", "chat:1")
	if err := c.Load(strings.Replace(sharedSite, "redis {env.REALTIME_TEST_REDIS}", "", 1)); err == nil || !strings.Contains(err.Error(), "restart Caddy") {
		t.Errorf("reloaded without Redis: %v", err)
	}
	if err := c.Load(strings.Replace(sharedSite, "history 10", "history 20", 1)); err != nil {
		t.Errorf("reloaded with other options: %v", err)
	}
	if res, body := request(t, "POST", base+"/channels/chat:1/messages", `{"content": "still here"}`); res.StatusCode != 200 {
		t.Errorf("publishing is answered with %s: %s", res.Status, body)
	}
	ann.until("still here")
}

// A node whose rooms would be elsewhere than those of the others does not start, and
// says why; what it did before goes on.
func TestOtherLayoutIsRefused(t *testing.T) {
	first, second := redistest.Start(t), redistest.Start(t)
	StartProcess(t, sharedSite, "REALTIME_TEST_REDIS="+first.Addr)
	t.Setenv("REALTIME_TEST_REDIS", first.Addr)
	c := Start(t, "http://{{site}} {\n respond before\n}")
	err := c.Load(strings.Replace(sharedSite, "redis {env.REALTIME_TEST_REDIS}", "redis "+first.Addr+" "+second.Addr, 1))
	for _, part := range []string{"starting the hub", "Redis 1 of 2", "Redis 1 of 1", "same addresses"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if _, body := get(t, "http://"+c.Addr("site")+"/"); body != "before" {
		t.Errorf("afterwards the site answers %q", body)
	}
	if err := c.Load(sharedSite); err != nil {
		t.Errorf("like the others: %v", err)
	}
}
